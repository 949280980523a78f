import type { Alert } from '../../alert.ts'

type Links = Alert['links']

const maxUrlLength = 4096

/**
 * Those of the candidates that are http and https URLs of at most 4,096 characters, as the URL standard writes them (so that nothing in one
 * can end it early), each once. A URL with a user or a password is none: it would stand in a bug report.
 */
export function linksOf(candidates: readonly (readonly [label: string, url: unknown])[]): Links {
  const links: Links[number][] = []
  for (const [label, candidate] of candidates) {
    if (typeof candidate !== 'string' || candidate.length > maxUrlLength) continue
    const url = URL.parse(candidate.trim())
    if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') continue
    if (url.href.length <= maxUrlLength && !links.some((link) => link.url === url.href)) links.push({ label, url: url.href })
  }
  return links
}
