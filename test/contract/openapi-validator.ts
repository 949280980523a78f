import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'

/** What is read of an OpenAPI 3.0 description; references may stand wherever the specification lets them. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly components?: unknown
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly schema: unknown
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>
}
interface Operation {
  readonly parameters?: readonly unknown[]
  readonly requestBody?: unknown
  readonly responses: Readonly<Record<string, unknown>>
}

export interface OpenApiValidator {
  /** What is wrong with a request: path, method, query, body and its type. Reads a clone. */
  request(request: Request): Promise<readonly string[]>
  /** What is wrong with the answer to a request: status and JSON body. Statuses that the description leaves out may be redirects and errors. Reads a clone. */
  answer(request: Request, response: Response): Promise<readonly string[]>
}

/** Validates against the description, below `prefix` (`/api/v3`). Schemas are compiled when they are needed: descriptions are large. */
export function openApiValidator(description: OpenApi, prefix = ''): OpenApiValidator {
  const bodies = newAjv(false)
  const texts = newAjv(true)
  const compiled = new Map<string, ValidateFunction>()

  const at = (reference: string): unknown =>
    reference
      .replace(/^#\//, '')
      .split('/')
      .reduce<unknown>((value, part) => (value as Record<string, unknown>)[part.replaceAll('~1', '/').replaceAll('~0', '~')], description)
  const resolved = (value: unknown): unknown => (isReference(value) ? resolved(at(value.$ref)) : value)

  /** The schema with all that it refers to, in words of JSON Schema. */
  function selfContained(schema: unknown): object {
    const definitions: Record<string, unknown> = {}
    const convert = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(convert)
      if (typeof value !== 'object' || value === null) return value
      if (isReference(value)) {
        const name = value.$ref.replace(/\W/g, '-')
        if (!(name in definitions)) {
          definitions[name] = true
          definitions[name] = convert(at(value.$ref))
        }
        return { $ref: `#/definitions/${name}` }
      }
      const { nullable, discriminator: _, ...rest } = value as Record<string, unknown>
      const plain = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, convert(inner)]))
      if (typeof nullable === 'object') return { ...plain, nullable: convert(nullable) }
      return nullable === true ? { anyOf: [{ type: 'null' }, plain] } : plain
    }
    const converted = convert(schema) as object
    return { allOf: [converted], definitions }
  }

  function check(ajv: Ajv, what: string, schema: unknown, value: unknown): string[] {
    const name = `${ajv === texts} ${JSON.stringify(schema)}`
    const validate = compiled.get(name) ?? ajv.compile(selfContained(schema))
    compiled.set(name, validate)
    return validate(value) ? [] : [`${what}: ${ajv.errorsText(validate.errors)}`]
  }

  function find(request: Request): { readonly operation: Operation; readonly path: unknown; readonly values: Record<string, string> } | undefined {
    const { pathname } = new URL(request.url)
    if (!pathname.startsWith(prefix)) return undefined
    const parts = pathname.slice(prefix.length).split('/')
    const fits = Object.keys(description.paths).filter((template) => {
      const wanted = template.split('/')
      return wanted.length === parts.length && wanted.every((part, index) => part === parts[index] || (/^\{.+\}$/.test(part) && parts[index] !== ''))
    })
    // The more of it is fixed, the better it fits: /issues/comments before /issues/{issue_number}.
    const [template] = fits.sort((a, b) => a.split('{').length - b.split('{').length)
    const operation = template === undefined ? undefined : description.paths[template]?.[request.method.toLowerCase()]
    if (template === undefined || operation === undefined) return undefined
    const names = template
      .split('/')
      .flatMap((part, index) => (part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(parts[index] ?? '')]] : []))
    return { operation: operation as Operation, path: description.paths[template], values: Object.fromEntries(names) }
  }

  return {
    async request(request) {
      const what = `${request.method} ${request.url}`
      const found = find(request)
      if (!found) return [`${what}: no such operation`]
      const complaints: string[] = []
      const shared = (found.path as { readonly parameters?: readonly unknown[] }).parameters ?? []
      const parameters = [...shared, ...(found.operation.parameters ?? [])].map((parameter) => resolved(parameter) as Parameter)
      for (const [place, values] of [
        ['path', found.values],
        ['query', Object.fromEntries(new URL(request.url).searchParams)],
      ] as const) {
        const those = parameters.filter((parameter) => parameter.in === place)
        const required = those.filter((parameter) => parameter.required).map(({ name }) => name)
        const properties = Object.fromEntries(those.map(({ name, schema }) => [name, schema]))
        complaints.push(...check(texts, `${what} ${place}`, { type: 'object', additionalProperties: false, required, properties }, values))
      }
      const body = resolved(found.operation.requestBody) as (Content & { readonly required?: boolean }) | undefined
      const text = await request.clone().text()
      if (text === '') return body?.required ? [...complaints, `${what}: a body is missing`] : complaints
      const type = request.headers.get('content-type')?.split(';')[0] ?? ''
      const schema = body?.content?.[type]?.schema
      if (schema === undefined) return [...complaints, `${what}: a body of type "${type}" is not expected`]
      const value: unknown = JSON.parse(text)
      const known = Object.keys((resolved(schema) as { readonly properties?: object }).properties ?? {})
      const unknown = known.length === 0 ? [] : Object.keys(value as object).filter((name) => !known.includes(name))
      return [...complaints, ...check(bodies, `${what} body`, schema, value), ...unknown.map((name) => `${what} body: there is no "${name}"`)]
    },
    async answer(request, response) {
      const what = `${response.status} to ${request.method} ${request.url}`
      const responses = find(request)?.operation.responses ?? {}
      const described = resolved(responses[response.status] ?? responses.default) as Content | undefined
      if (!described) return response.status >= 300 ? [] : [`${what}: no such answer`]
      const text = await response.clone().text()
      const schema = described.content?.['application/json']?.schema
      if (schema === undefined) return text === '' ? [] : [`${what}: no body is expected`]
      return check(bodies, what, schema, JSON.parse(text))
    },
  }
}

function newAjv(coerceTypes: boolean): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes, validateSchema: false, logger: false })
  formats.default(ajv)
  return ajv
}

function isReference(value: unknown): value is { readonly $ref: string } {
  return typeof value === 'object' && value !== null && '$ref' in value && typeof value.$ref === 'string'
}
