import type { CheckRequest } from '../diagnosis.ts'
import { matches } from '../matches.ts'

/** Whether a pattern of a rule's checks matches: `NAME` whatever the parameter, `NAME=PARAMETER` the parameter, too. */
export function matchesCheck(pattern: string, { name, param }: CheckRequest): boolean {
  const equals = pattern.indexOf('=')
  if (equals < 0) return matches(pattern, name)
  return param !== undefined && matches(pattern.slice(0, equals), name) && matchesParam(pattern.slice(equals + 1), param)
}

/** `*` alone stands for every parameter. A URL is matched part by part, by a pattern that is one, and by no other. */
function matchesParam(pattern: string, param: string): boolean {
  if (pattern === '*') return true
  return isUrl(param) || pattern.includes('://') ? matchesUrl(pattern, param) : matches(pattern, param)
}

/** What is wrong with a pattern that can never match. */
export function complainAboutCheckPattern(pattern: string): string | undefined {
  const equals = pattern.indexOf('=')
  const [name, param] = [pattern.slice(0, Math.max(0, equals)), pattern.slice(equals + 1)]
  if (equals < 0 || param === '*' || !(param.includes('://') || matches(name, 'http')) || urlPattern.test(param)) return undefined
  return `"${param}" is no pattern of a URL; expected such as ${name}=http://stock:8080/* or ${name}=https://*.shop.example:*/*`
}

function isUrl(param: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(param)
}

/**
 * Scheme, host, port and path each by their own part of the pattern, so that none of its `*` reaches into the next one. As in a URL,
 * a pattern without a port means the scheme's own, and one without a path means the root. A query needs a pattern with one, or a
 * path that ends with `*`.
 */
function matchesUrl(pattern: string, param: string): boolean {
  const [, schemes, hosts = '', ports, paths = '', queries] = urlPattern.exec(pattern) ?? []
  const url = URL.parse(param)
  if (schemes === undefined || !url || !isPlain(url, param)) return false
  const port = url.port || usual[url.protocol]
  if (!matches(schemes.toLowerCase(), url.protocol.slice(0, -1)) || !matches(hosts.toLowerCase(), url.hostname)) return false
  if (ports === undefined ? url.port !== '' : port === undefined || !matches(ports, port)) return false
  // A server may take an escaped slash or dot for the thing itself, and so leave the path that is allowed.
  if (/%(2e|2f|5c)/i.test(url.pathname) && paths !== '/*') return false
  if (!matches(paths === '' ? '/' : paths, url.pathname)) return false
  return url.search === '' || (queries === undefined ? paths.endsWith('*') : matches(queries, url.search))
}

/** Scheme, host, port, path, query. */
const urlPattern = /^([a-z0-9+.*-]+):\/\/(\[[^\]/?#@]*\]|[^:/?#@[\]]+)(?::([0-9*]+))?(\/[^?#]*)?(\?[^#]*)?$/i

/** The ports that URL leaves out. */
const usual: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443', 'ws:': '80', 'wss:': '443', 'ftp:': '21' }

/**
 * Whether everyone who reads this text sees the same URL in it. One with a user, a backslash, dots to be resolved or an address in an
 * unusual form is read in several ways: what is matched here might not be what is asked there.
 */
function isPlain(url: URL, param: string): boolean {
  if (url.username !== '' || url.password !== '' || url.hash !== '') return false
  const [, scheme = '', authority = '', rest = ''] = /^([^:]+):\/\/([^/?#\\@]*)([^#]*)$/.exec(param) ?? []
  const own = url.port === '' ? `:${usual[url.protocol]}` : ''
  const host = authority.toLowerCase()
  if (`${scheme.toLowerCase()}:` !== url.protocol || (host !== url.host && host !== `${url.host}${own}`)) return false
  return (rest.startsWith('/') ? rest : `/${rest}`) === `${url.pathname}${url.search}`
}
