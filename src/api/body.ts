import { Problem } from './problem.ts'

export const maxBodyBytes = 64 * 1024
/** Levels of JSON. No sender comes near it; GitHub's events have some ten. */
const maxDepth = 100
/** The one field that a form may repeat. */
const repeatable = 'checks'

/** Reads the body of a request, JSON or form, as one plain value; what it says is not looked at. Throws a {@link Problem}. */
export async function readBody(request: Request): Promise<unknown> {
  const [type = ''] = (request.headers.get('content-type') ?? '').toLowerCase().split(';')
  const isForm = type.trim() === 'application/x-www-form-urlencoded'
  if (!isForm && type.trim() !== 'application/json') {
    const given = type === '' ? 'has no Content-Type' : `has Content-Type "${type.trim().slice(0, 100)}"`
    throw new Problem('unsupported-media-type', `The request ${given}; send application/json or application/x-www-form-urlencoded`, {
      headers: { 'accept-post': 'application/json, application/x-www-form-urlencoded' },
    })
  }
  const text = decodeText(await request.arrayBuffer())
  return isForm ? readForm(text) : parseJson(text)
}

/** Throws a {@link Problem} where it is not UTF-8. */
export function decodeText(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw new Problem('malformed-request', 'The body is not UTF-8')
  }
}

/** Throws a {@link Problem}, also where it is nested so deeply that what walks through it would overflow the stack. */
export function parseJson(text: string): unknown {
  const value = parsed(text)
  if (depthOf(value) > maxDepth) throw new Problem('malformed-request', `The body is nested more than ${maxDepth} levels deep`)
  return value
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem('malformed-request', `The body is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Counted level by level, without recursion; not beyond what is too deep. */
function depthOf(value: unknown): number {
  let depth = 0
  for (let level = containers([value]); level.length > 0 && depth <= maxDepth; level = containers(level.flatMap(Object.values))) depth++
  return depth
}

const containers = (values: readonly unknown[]) => values.filter((value): value is object => typeof value === 'object' && value !== null)

/** https://url.spec.whatwg.org/#urlencoded-parsing, but strict: what a browser would repair is refused. */
function readForm(text: string): Record<string, unknown> {
  const form = new Map<string, string | string[]>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    if (equals < 0) throw new Problem('malformed-request', `The form has "${pair.slice(0, 100)}" without a value; write field=value`)
    const field = percentDecoded(pair.slice(0, equals))
    const value = percentDecoded(pair.slice(equals + 1))
    const before = form.get(field)
    if (field === repeatable) form.set(field, [...(Array.isArray(before) ? before : []), value])
    else if (before === undefined) form.set(field, value)
    else throw new Problem('malformed-request', `The form has field "${field.slice(0, 100)}" twice; only ${repeatable} may be repeated`)
  }
  return Object.fromEntries(form)
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw new Problem(
      'malformed-request',
      `The form has "${text.slice(0, 100)}", which is not percent-encoded UTF-8; curl does it with --data-urlencode`,
    )
  }
}
