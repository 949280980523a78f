import type { z } from '@hono/zod-openapi'
import { configJsonSchema, type JsonSchema, schemasAt } from './config-json-schema.ts'
import { didYouMean } from './did-you-mean.ts'

/** One thing that is wrong with the configuration, and where. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The schema's complaints about the file's content: `expected …, got …`, with what a misspelled key may mean. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], input: unknown): Problem[] {
  const schema = configJsonSchema()
  return issues.flatMap((issue): Problem[] => {
    const value = valueAt(input, issue.path)
    const schemas = schemasAt(schema, issue.path)
    const known = schemas.flatMap((one) => Object.keys(one.properties ?? {}))
    const unknownKey = (key: string): Problem => ({ path: [...issue.path, key], message: `unknown key${didYouMean(key, known)}` })
    if (issue.code === 'unrecognized_keys') return issue.keys.map(unknownKey)
    if (issue.code === 'invalid_key') {
      const key = issue.path.at(-1)
      return [{ path: issue.path.slice(0, -1), message: `expected ${issue.issues[0]?.message}, got the name ${JSON.stringify(key)}` }]
    }
    // A misspelled key fits no branch of a union; then the key is the problem.
    const unknown = issue.code === 'invalid_union' && isMap(value) ? Object.keys(value).filter((key) => !known.includes(key)) : []
    if (unknown.length > 0 && known.length > 0) return unknown.map(unknownKey)
    const meant = issue.code === 'invalid_union' && isMap(value) ? issue.errors.filter(knowsItsKeys) : []
    // Its keys tell which branch was meant: what is wrong is there.
    if (meant.length === 1 && meant[0])
      return problemsOf(
        meant[0].map((one) => ({ ...one, path: [...issue.path, ...one.path] })),
        input,
      )
    const hint = typeof value === 'string' ? didYouMean(value, schemas.flatMap(choicesOf)) : ''
    return [{ path: issue.path, message: `expected ${expectation(issue, schemas)}, got ${shown(value, issue.path)}${hint}` }]
  })
}

function knowsItsKeys(branch: readonly z.core.$ZodIssue[]): boolean {
  return !branch.some(({ code, path }) => code === 'unrecognized_keys' && path.length === 0)
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    input,
  )
}

/** The schema's own words where it has some; zod's begin like this. */
const zodsWords = /^(Invalid |Too |Unrecognized )/

function expectation(issue: z.core.$ZodIssue, schemas: readonly JsonSchema[]): string {
  if (!zodsWords.test(issue.message)) return issue.message
  const choices = [...new Set(schemas.flatMap(choicesOf))]
  if (choices.length > 0) return `${choices.length > 1 ? 'one of ' : ''}${choices.map((choice) => JSON.stringify(choice)).join(', ')}`
  return [...new Set(schemas.map(describe))].join(' or ') || issue.message
}

function choicesOf(schema: JsonSchema): string[] {
  return (schema.enum ?? (schema.const === undefined ? [] : [schema.const])).map((choice) => String(choice))
}

function describe(schema: JsonSchema): string {
  const { type, minimum, maximum, maxLength, minItems } = schema
  switch (type) {
    case 'integer':
    case 'number': {
      // Zod bounds every whole number by what a double holds.
      const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
      const range = most === undefined ? ` of at least ${minimum}` : ` from ${minimum} to ${most}`
      return `a ${type === 'integer' ? 'whole ' : ''}number${minimum === undefined ? '' : range}`
    }
    case 'boolean':
      return 'true or false'
    case 'array':
      return minItems ? `a list of at least ${minItems}` : 'a list'
    case 'object':
      return 'a map'
    default:
      return maxLength ? `text of 1 to ${maxLength} characters` : schema.minLength ? 'text that is not empty' : 'text'
  }
}

/** Where somebody may have written the secret itself, or the token instead of its hash. */
const secretKeys: readonly PropertyKey[] = [
  ...['apiKey', 'token', 'secret', 'accessKeyId', 'secretAccessKey', 'tokenHashes', 'privateKey'],
  ...['bearer', 'password', 'secrets', 'tokens', 'signing'],
]
const maxShown = 60

function shown(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'nothing (null)'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return Object.keys(value).length === 0 ? 'an empty map' : 'a map'
  if (path.some((key) => secretKeys.includes(key))) return 'a text that is not shown here'
  const text = JSON.stringify(value).replace(/\/\/[^/@"]*@/, '//…@')
  return text.length > maxShown ? `${text.slice(0, maxShown)}…` : text
}
