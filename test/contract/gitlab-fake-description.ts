import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import openapi from '../fixtures/gitlab/openapi.json'

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean; readonly schema: object }[]
  readonly requestBody?: { readonly content: { readonly 'application/json': { readonly schema: object } } }
  readonly responses: Readonly<Record<string, { readonly content?: { readonly 'application/json': { readonly schema: object } } }>>
}

const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes: true })
formats.default(ajv)
ajv.addSchema({ $id: 'gitlab', components: openapi.components })
const compiled = new Map<string, ValidateFunction>()

/** Checks requests and answers against test/fixtures/gitlab/openapi.json; what is wrong is put down in `complaints`. `prefix`: of a GitLab that is not at its host's root. */
export function gitlabDescription(prefix: string) {
  const complaints: string[] = []

  function check(what: string, schema: object, value: unknown) {
    const text = JSON.stringify(schema).replaceAll('"#/', '"gitlab#/')
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text))
    compiled.set(text, validate)
    if (!validate(value)) complaints.push(`${what}: ${ajv.errorsText(validate.errors)}`)
  }
  function operationOf(request: Request): { operation: Operation; values: Record<string, string> } | undefined {
    const path = new URL(request.url).pathname.slice(prefix.length)
    for (const [template, operations] of Object.entries(openapi.paths)) {
      const names = Array.from(template.matchAll(/\{(\w+)\}/g), ([, name]) => name as string)
      const found = new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`).exec(path)
      const operation = (operations as Record<string, unknown>)[request.method.toLowerCase()] as Operation | undefined
      if (found && operation)
        return { operation, values: Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(found[at + 1] ?? '')])) }
    }
    return undefined
  }
  return {
    complaints,
    async checkRequest(request: Request) {
      const what = `${request.method} ${request.url}`
      const known = operationOf(request)
      if (!known) return void complaints.push(`${what}: no such operation`)
      const query = Object.fromEntries(new URL(request.url).searchParams)
      for (const [where, values] of [
        ['path', known.values],
        ['query', query],
      ] as const) {
        const parameters = known.operation.parameters.filter((parameter) => parameter.in === where)
        const required = parameters.filter((parameter) => parameter.required).map(({ name }) => name)
        const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]))
        check(`${what} ${where}`, { type: 'object', additionalProperties: false, required, properties }, values)
      }
      const body = await request.text()
      const schema = known.operation.requestBody?.content['application/json'].schema
      if (schema && request.headers.get('content-type') !== 'application/json') complaints.push(`${what}: not sent as JSON`)
      if (schema) check(`${what} body`, schema, JSON.parse(body))
      else if (body !== '') complaints.push(`${what}: has a body`)
    },
    async checkAnswer(request: Request, response: Response) {
      const what = `answer ${response.status} to ${request.method} ${request.url}`
      const described = operationOf(request)?.operation.responses[response.status]
      if (!described) return void complaints.push(`${what}: not described`)
      const schema = described.content?.['application/json'].schema
      if (schema) check(what, schema, await response.json())
    },
  }
}
