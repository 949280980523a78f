import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import cloudDescription from '../fixtures/jira/cloud-openapi.json'
import dataCenterDescription from '../fixtures/jira/data-center-openapi.json'

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[]
  readonly requestBody?: Body
  readonly responses: Readonly<Record<string, Body>>
}
interface Body {
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: unknown
}

export interface Exchange {
  readonly method: string
  /** From `/rest` on. */
  readonly path: string
  readonly query: URLSearchParams
  readonly sent: unknown
  readonly status: number
  readonly answered: unknown
}

/** Says what in a request or its answer differs from Atlassian's published description, or undefined. */
export type Check = (exchange: Exchange) => string | undefined

/** What the descriptions leave out, though their prose or Atlassian's own clients have it: `expand` values are parameters here. */
const undescribed: Readonly<Record<string, readonly string[]>> = { 'get /rest/api/2/issue/{issueIdOrKey}/transitions': ['expand'] }

const checks = new Map<boolean, Check>()

/** The check for Cloud, or for Data Center. Compiled once, for that takes a while. */
export function jiraCheck(cloud: boolean): Check {
  const check = checks.get(cloud) ?? (cloud ? checkAgainst(cloudDescription as unknown as Description, '') : dataCenterCheck())
  checks.set(cloud, check)
  return check
}

function dataCenterCheck(): Check {
  const description = structuredClone(dataCenterDescription)
  // The generator calls any value an object: the description's own examples have strings and lists there.
  Object.assign(description.components.schemas.IssueUpdateBean.properties.fields, { additionalProperties: true })
  Object.assign(description.components.schemas.IssueBean.properties.fields, { additionalProperties: true })
  // The value of a property is any JSON; the text that it is described as is how Jira keeps it.
  Object.assign(description.components.schemas.EntityPropertyBean.properties, { value: {} })
  // A page of issue types, not one of them.
  const types = description.paths['/api/2/issue/createmeta/{projectIdOrKey}/issuetypes'].get.responses['200'].content['application/json']
  Object.assign(types, { schema: { type: 'object', properties: { values: { type: 'array', items: types.schema } }, required: ['values'] } })
  return checkAgainst(description as unknown as Description, '/rest')
}

function checkAgainst(description: Description, prefix: string): Check {
  const ajv = new Ajv({ strict: false })
  formats.default(ajv)
  const compiled = new Map<unknown, ValidateFunction>()
  const complaint = (body: Body | undefined, value: unknown): string | undefined => {
    const schema = Object.entries(body?.content ?? {}).find(([type]) => type.startsWith('application/json'))?.[1].schema
    if (schema === undefined) return undefined
    const validate = compiled.get(schema) ?? ajv.compile({ allOf: [schema], components: description.components })
    compiled.set(schema, validate)
    return validate(value) ? undefined : ajv.errorsText(validate.errors)
  }
  const operations = Object.entries(description.paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method} ${prefix}${template}`,
      method,
      pattern: new RegExp(`^${(prefix + template).replace(/\{[^}]+\}/g, '[^/]+')}$`),
      operation,
    })),
  )

  return ({ method, path, query, sent, status, answered }) => {
    // A path without parameters goes before one that may mean anything: `/issue/bulkfetch` is no issue.
    const fitting = operations.filter((each) => each.method === method.toLowerCase() && each.pattern.test(path))
    const described = fitting.find(({ name }) => !name.includes('{')) ?? fitting[0]
    const at = `${method} ${path}: `
    if (!described) return `${at}is not described`
    const { name, operation } = described
    const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'query')
    const known = [...parameters.map((parameter) => parameter.name), ...(undescribed[name] ?? [])]
    for (const key of query.keys()) if (!known.includes(key)) return `${at}the parameter "${key}" is not described`
    for (const { name: needed, required } of parameters) if (required && !query.has(needed)) return `${at}the parameter "${needed}" is missing`
    if (status >= 400) return undefined
    const request = complaint(operation.requestBody, sent)
    if (request) return `${at}the request: ${request}`
    if (!(status in operation.responses)) return `${at}the status ${status} is not described`
    const answer = status === 204 ? undefined : complaint(operation.responses[status], answered)
    return answer && `${at}the answer: ${answer}`
  }
}
