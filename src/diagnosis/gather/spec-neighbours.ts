import type { RawContainer } from '../../ports/cluster/cluster.ts'
import type { Redactor } from '../redact/redactor.ts'
import { type Neighbour, neighboursIn } from './neighbours.ts'

type Variables = ReadonlyMap<string, string>

/** What a container's variables, command and arguments name as its neighbours; values stand in parts too, as `X_HOST` and `X_PORT`. */
export function declaredBy(spec: RawContainer | undefined, redactor: Redactor): readonly Neighbour[] {
  const variables = new Map(variablesOf(spec, redactor))
  const whole = specTexts(spec, redactor, isOther).flatMap((text) => neighboursIn(expanded(text, variables), 'spec'))
  return [...whole, ...inParts(variables)]
}

/** Redacted as one value: the redactor knows a secret by the name or the flag beside it. Arguments may be scripts: a text for each line. */
export function specTexts(spec: RawContainer | undefined, redactor: Redactor, wanted: (name: string) => boolean = () => true): readonly string[] {
  const { command = [], args = [] } = redactor.json('hints', { command: spec?.command ?? [], args: spec?.args ?? [] }).value
  const values = variablesOf(spec, redactor).flatMap(([name, value]) => (wanted(name) ? [value] : []))
  const words = [...command, ...args].flatMap((text) => text.split('\n')).filter((text) => wanted(/^--?([a-z][\w.-]*)=/i.exec(text)?.[1] ?? ''))
  return [...values, ...words].slice(0, maxTexts)
}

/**
 * Not where others find the program itself, who may ask it, or where browsers are sent: it calls none of these. Nor where traces and metrics are
 * sent to: programs do as well without, and say so where they do not.
 */
function isOther(name: string): boolean {
  const plain = name.replaceAll(/[-.]/g, '_')
  return !ownUrl.test(plain) && !telemetry.test(plain)
}

const telemetry = /^(?:OTEL|JAEGER|ZIPKIN|DD|DATADOG|STATSD|SENTRY|ELASTIC_APM|PYROSCOPE|NEW_?RELIC)_|(?:^|_)(?:OTLP|STATSD|SENTRY|JAEGER|ZIPKIN)_/i

const ownUrl = new RegExp(
  [
    '^(?:(?:APP|SITE|WEB|MY|OWN|SELF|PUBLIC|EXTERNAL|CANONICAL|FRONTEND|NEXTAUTH|GF_SERVER)_)*(?:(?:BASE|ROOT|SITE|APP|PUBLIC|EXTERNAL|CANONICAL|FRONTEND|NEXTAUTH)_?)(?:URL|URI)$',
    '(?:^|_)(?:PUBLIC|CANONICAL)_(?:BASE_)?(?:URL|URI)$',
    '(?:^|_)(?:ORIGINS?|ALLOWED_HOSTS|ALLOWLIST|TRUSTED_HOSTS)$',
    '(?:^|_)(?:REDIRECT|RETURN|LOGOUT|SUCCESS|CANCEL|CALLBACK)_(?:URL|URI)S?$',
  ].join('|'),
  'i',
)

const maxTexts = 500

function variablesOf(spec: RawContainer | undefined, redactor: Redactor): readonly (readonly [string, string])[] {
  const { env = [] } = redactor.json('hints', { env: spec?.env ?? [] }).value
  return env.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const]))
}

/** `$X`, `${X}` and `$(X)` of variables that name a server, a host or a port; a value of another kind may be a secret. */
function expanded(text: string, variables: Variables): string {
  return text.replace(/\$(?:\{([A-Z_]\w*)\}|\(([A-Z_]\w*)\)|([A-Z_]\w*))/gi, (whole, braced, bracketed, plain) => {
    const name: string = braced ?? bracketed ?? plain
    const value = variables.get(name) ?? ''
    return naming.test(name) && place.test(value) ? value : whole
  })
}

const naming = /(?:HOST|HOSTNAME|PORT|ADDR|ADDRESS|SERVER|ENDPOINT|UPSTREAM|BACKEND|BROKER)$/i
const place = /^(?:\d{1,5}|[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*(?::\d{1,5})?)$/i

/** `CART_HOST` and `CART_PORT` are one server; a host alone is a name. What the container itself is called or binds to is no neighbour. */
function inParts(variables: Variables): readonly Neighbour[] {
  return [...variables].flatMap(([name, value]) => {
    const [, prefix = '', kind = ''] = /^(.+?)_?(HOST|HOSTNAME|SERVER|ADDR|ADDRESS)$/.exec(name) ?? []
    if (
      prefix === '' ||
      !isOther(name) ||
      own.test(prefix) ||
      !hostName.test(value) ||
      /^(?:true|false|yes|no|on|off|none|auto|any|all)$/i.test(value)
    )
      return []
    const port = Number(variables.get(`${prefix}_PORT`) ?? Number.NaN)
    const host = value.toLowerCase().replace(/\.$/, '')
    if (Number.isInteger(port) && port > 0 && port <= 65_535) return [{ host, port, bare: true, serving: false }]
    return /^HOST(?:NAME)?$/.test(kind) ? [{ host, bare: true, serving: false }] : []
  })
}

const own =
  /(?:^|_)(?:BIND|LISTEN|SERVE|MY|OWN|SELF|POD|NODE|PUBLIC|VIRTUAL|EXTERNAL|ADVERTISED?|ALLOWED|TRUSTED|COOKIE|INGRESS|SITE|APP|WEB|HTTPS?|GRPC|NEXT|VITE)$/
const hostName = /^[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)*\.?$/i
