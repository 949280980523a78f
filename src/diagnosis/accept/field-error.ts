import type { z } from '@hono/zod-openapi'

/** What is wrong with one field of the input, and what to do. */
export interface FieldError {
  /** The field's name; its path where it is nested: `selector.namespace`, `checks[0]`. */
  readonly field: string
  /** What was given, cut to 100 characters; absent where nothing was. */
  readonly value?: string
  readonly message: string
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: readonly FieldError[] }

/** An error that quotes the value; passwords in URLs are left out of the quote. */
export function fieldError(field: string, value: unknown, message: string): FieldError {
  if (value === undefined) return { field, message }
  const text = (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))).replace(/\/\/[^/@\s]*@/g, '//***@')
  return { field, value: text.length > 100 ? `${text.slice(0, 99)}…` : text, message }
}

type Issue = z.core.$ZodIssue

/** Zod's issues as errors that name field and value. `known` are the fields there are, for those that are unknown. */
export function fieldErrors(issues: readonly Issue[], input: unknown, known: readonly string[]): FieldError[] {
  return issues.flatMap((issue) => errorsOf(issue, issue.path, input, known))
}

function errorsOf(issue: Issue, path: readonly PropertyKey[], input: unknown, known: readonly string[]): FieldError[] {
  if (issue.code === 'unrecognized_keys') {
    const fields = path.length === 0 ? `; the fields are ${known.join(', ')}` : ''
    return issue.keys.map((key) => fieldError(nameOf([...path, key]), valueAt(input, [...path, key]), `unknown field${fields}`))
  }
  if (issue.code === 'invalid_union') {
    // The branch whose type fits says more than all of them together.
    const branch = issue.errors.find((errors) => !errors.some((error) => error.code === 'invalid_type' && error.path.length === 0))
    if (branch) return branch.flatMap((error) => errorsOf(error, [...path, ...error.path], input, known))
    const expected = issue.errors.flatMap((errors) => errors.flatMap((error) => (error.code === 'invalid_type' ? [error.expected] : [])))
    return [fieldError(nameOf(path), valueAt(input, path), `expected ${expected.join(' or ')}`)]
  }
  if (issue.code === 'invalid_key') return issue.issues.map((error) => fieldError(nameOf(path.slice(0, -1)), path.at(-1), error.message))
  return [fieldError(nameOf(path) || 'body', valueAt(input, path), issue.message.replace(/^Invalid (input|option): /, ''))]
}

function nameOf(path: readonly PropertyKey[]): string {
  return path.map((key, at) => (typeof key === 'number' ? `[${key}]` : `${at > 0 ? '.' : ''}${String(key)}`)).join('')
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
  return value
}
