/** Another server as a text names it. */
export interface Neighbour {
  /** Present where it was named by an http or https URL. */
  readonly url?: string
  /** Lower case, without a final dot; an IPv6 address stands in brackets. */
  readonly host: string
  /** Absent: only the name was looked up. */
  readonly port?: number
  /** The text says that it is asked to change something: its path is not asked again, not even by GET. */
  readonly bare: boolean
  /** The text says that it is served here. */
  readonly serving: boolean
}

/** Longer lines are read to here. */
const maxText = 4000

/**
 * The servers that a line of a log, or a value of a container's spec, names: by URL, as host:port, or as a name that could not be
 * looked up. In a log, where `status:500` and `main.go:12` look like a host and a port, the line must speak of connecting.
 */
export function neighboursIn(text: string, from: 'log' | 'spec'): readonly Neighbour[] {
  // JSON may escape its slashes.
  const line = text.slice(0, maxText).replaceAll('\\/', '/')
  const serving = from === 'log' && /\b(listen|serv|start|bound|ready)\w*\b/i.test(line) && !/fail|error|refused|cannot|unable/i.test(line)
  const bare = /\b(POST|PUT|PATCH|DELETE)\b/.test(line)
  const found: (Neighbour & { readonly at: number })[] = []
  const rest = line.replaceAll(urls, (url, at: number) => {
    if (isDocumentation(url)) return ' '.repeat(url.length)
    for (const neighbour of fromUrl(url.replace(/[.,;:!?)]+$/, ''))) found.push({ ...neighbour, bare, serving, at })
    return ' '.repeat(url.length)
  })
  for (const match of rest.matchAll(hostPort)) {
    const [, host = '', port = ''] = match
    if (isServer(host, Number(port), from, rest)) found.push({ host: clean(host), port: Number(port), bare, serving, at: match.index })
  }
  if (from === 'log') {
    for (const match of rest.matchAll(lookedUp))
      found.push({ host: clean(match.slice(1).find((name) => name !== undefined) ?? ''), bare, serving: false, at: match.index })
  }
  return found.toSorted((a, b) => a.at - b.at).map(({ at: _, ...neighbour }) => neighbour)
}

const urls = /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>`\\{}|^\p{Cc}]+/giu
const hostPort = /(?<=^|[\s"'=,(@])([a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.?|\d{1,3}(?:\.\d{1,3}){3}):(\d{2,5})(?=$|[\s"',):;\]]|\/(?!\/))/gi
/**
 * Go, Node, curl, wget, Java, Python and libpq, in the forms in which their resolvers tell of a name: "lookup failed" is none. The last
 * is a full name that a line about resolving names.
 */
const lookedUp = new RegExp(
  [
    '\\blookup NAME on \\[?[\\da-f.:]+\\]?:\\d+:',
    '\\blookup NAME: (?:no such host|i/o timeout|server misbehaving|temporary failure|no answer|no address|device or resource|context|operation)',
    '\\b(?:getaddrinfo|query[A-Za-z]*) (?:ENOTFOUND|EAI_AGAIN) NAME(?=$|[\\s"\',):])',
    "\\b(?:resolve (?:host|proxy): |resolve host(?: address)? ['\"‘“]|bad address '|Failed to resolve '|translate host name \")NAME(?=$|[\\s\"'’”,);])",
    '\\bUnknownHostException: NAME(?=$|:)',
    '\\b(?:resolv\\w+|host|reach|connect(?:ing)? to) [\'"]?(FULL)(?=[\'":,;) ]).*(?:name resolution|name or service not known|EAI_AGAIN|server misbehaving|no such host|nodename nor servname)',
  ]
    .join('|')
    .replaceAll('NAME', '([a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)*\\.?)')
    .replaceAll('FULL', '[a-z][a-z0-9-]*(?:\\.[a-z0-9-]+)+'),
  'gi',
)

function* fromUrl(url: string): Generator<Pick<Neighbour, 'url' | 'host' | 'port'>> {
  const [, scheme = '', authority = ''] = /^([^:]+):\/\/([^/?#]*)/.exec(url) ?? []
  if (/^https?$/i.test(scheme)) {
    const trimmed = authority.includes('[') ? url : url.replace(/\]+$/, '')
    // A password may look like a port and hold a slash: what is a name there, and what a secret, cannot be told apart.
    if (/^[^@]*:\d*$/.test(authority) && trimmed.includes('@')) return
    if (!URL.canParse(trimmed)) return
    const { hostname, port, protocol } = new URL(trimmed)
    if (hostname !== '' && !/[$%*]/.test(hostname))
      yield { url: trimmed, host: clean(hostname), port: Number(port || (protocol === 'https:' ? 443 : 80)) }
    return
  }
  // Databases and queues name one or several, behind user and password.
  for (const server of authority.slice(authority.lastIndexOf('@') + 1).split(',')) {
    const [, host, port = usual[scheme.toLowerCase()]] = /^([a-z0-9][a-z0-9.-]*|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/i.exec(server) ?? []
    if (host !== undefined && port !== undefined && Number(port) <= 65_535) yield { host: clean(host), port: Number(port) }
  }
}

/** The port where a URL names none. */
const usual: Readonly<Record<string, string>> = {
  amqp: '5672',
  amqps: '5671',
  mongodb: '27017',
  mysql: '3306',
  nats: '4222',
  postgres: '5432',
  postgresql: '5432',
  redis: '6379',
  rediss: '6379',
}

const connecting =
  /\b(dial|connect\w*|refused|reset|reach\w*|unreachable|upstream|peer|host|server|broker|bootstrap|backend|addr\w*|endpoint|target|timeout|timed out|i\/o|unavailable)\b/i
/** `key:number` pairs that logs are full of. */
const words =
  /^(at|bytes|code|column|count|duration|error|exit|id|in|len|length|level|line|pid|port|retries|row|size|status|thread|took|uid|version)$/i
/** A file's name and line number look the same. */
const files = /\.(c|cc|cjs|cpp|cs|erl|ex|exs|go|h|java|js|jsx|kt|lua|mjs|php|pl|py|rb|rs|scala|sh|swift|ts|tsx|vue)$/i

function isServer(host: string, port: number, from: 'log' | 'spec', line: string): boolean {
  if (port > 65_535 || files.test(host) || words.test(host)) return false
  // The address in a log is that of a URL or a name beside it, or of who called.
  return from === 'spec' || (connecting.test(line) && !/^\d/.test(host))
}

/** Messages point to their own explanation. */
function isDocumentation(url: string): boolean {
  return /^https?:\/\/(docs?\.|www\.w3\.org|github\.com|go\.dev|nodejs\.org|schemas\.)|\/docs?\//i.test(url)
}

function clean(host: string): string {
  return host.toLowerCase().replace(/\.$/, '')
}
