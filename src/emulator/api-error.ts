import type { Raw } from '../ports/cluster/cluster.ts'

interface Cause {
  readonly reason: string
  readonly message: string
  readonly field: string
}

/** An answer that is no success: becomes a `v1.Status` object, in the words of a real API server (compared with v1.34.4). */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly code: number
  readonly reason: string | undefined
  readonly details: Raw | undefined

  constructor(code: number, reason: string | undefined, message: string, details?: Raw) {
    super(message)
    this.code = code
    this.reason = reason
    this.details = details
  }

  /** The body, as the API server writes it. */
  toStatus(): Raw {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === undefined ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }
}

export function notFound(resource: string, name: string): ApiError {
  const [kind = resource, ...group] = resource.split('.')
  const details = { name, ...(group.length > 0 ? { group: group.join('.') } : {}), kind }
  return new ApiError(404, 'NotFound', `${resource} "${name}" not found`, details)
}

/** What the server says of a path that it does not serve: no name in the details, which tells it from a missing object. */
export const noSuchResource = () => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})

export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)

/** 422 with one cause for each complaint. */
export function invalid(kind: string, name: string, causes: readonly Cause[], group?: string): ApiError {
  const told = [...new Set(causes.map(({ field, message }) => `${field}: ${message}`))]
  const list = told.length === 1 ? told[0] : `[${told.join(', ')}]`
  const details = { ...(name ? { name } : {}), ...(group ? { group } : {}), kind, causes }
  return new ApiError(422, 'Invalid', `${group ? `${kind}.${group}` : kind} "${name}" is invalid: ${list}`, details)
}

export const required = (field: string, why?: string): Cause => ({
  reason: 'FieldValueRequired',
  message: why ? `Required value: ${why}` : 'Required value',
  field,
})
export const wrong = (field: string, value: unknown, why: string): Cause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${why}`,
  field,
})
export const forbidden = (field: string, why: string): Cause => ({ reason: 'FieldValueForbidden', message: `Forbidden: ${why}`, field })
export const duplicate = (field: string, value: string): Cause => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${JSON.stringify(value)}`,
  field,
})
export const missing = (field: string, value: string): Cause => ({
  reason: 'FieldValueNotFound',
  message: `Not found: ${JSON.stringify(value)}`,
  field,
})
