import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'

const pages = new Map<string, string>()
const names: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', amp: '&' }

/** Markdown as GitHub and GitLab render it before they look for mentions, HTML and all, but for comments. */
export function htmlOf(markdown: string): string {
  const page = pages.get(markdown) ?? micromark(markdown, { allowDangerousHtml: true, extensions: [gfm()], htmlExtensions: [gfmHtml()] })
  pages.set(markdown, page)
  return page.replace(/<!--[\s\S]*?-->/g, '')
}

/** The text of HTML without its tags. */
export function textOf(html: string): string {
  return decoded(html.replace(/<[^>]*>/g, ''))
}

export function decoded(text: string): string {
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code, name) => (code ? String.fromCodePoint(Number(code)) : (names[name] ?? whole)))
}

/** What a reader sees of Markdown, and where its links lead. */
export function readable(markdown: string): string {
  return textOf(htmlOf(markdown).replace(/<a [^>]*href="([^"]*)"[^>]*>/g, '$1 '))
}
