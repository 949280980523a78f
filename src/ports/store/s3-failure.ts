import { S3ServiceException } from '@aws-sdk/client-s3'
import { StoreUnavailable } from './store.ts'

/** Where a store is, for messages. */
export interface S3Place {
  readonly bucket: string
  /** The endpoint, or `AWS` and the region. */
  readonly at: string
}

const passing = new Set([
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestTimeout',
  'RequestLimitExceeded',
  'TooManyRequests',
  'ConditionalRequestConflict',
])

/**
 * What to throw for an error of the SDK, which is its cause: {@link StoreUnavailable} where the same call may succeed later (no
 * answer, 5xx, throttling), else an error that names the bucket and what to set right. `action`: `put object "a/b"`.
 */
export function failureOf(error: unknown, action: string, { bucket, at }: S3Place): unknown {
  if (!(error instanceof Error) || error.name === 'AbortError') return error
  const status = statusOf(error)
  const said = status === undefined ? error.message || codeOf(error) : `${status} ${error.name}: ${error.message}`
  const advice = adviceFor(error, bucket)
  const message = `Cannot ${action} in bucket "${bucket}" at ${at}: ${said}${advice ? `; ${advice}` : ''}`
  return !advice && isPassing(error) ? new StoreUnavailable(message, { cause: error }) : new Error(message, { cause: error })
}

/** The HTTP status that S3 answered with, of the SDK's error or of one that {@link failureOf} made of it. */
export function statusOf(error: unknown): number | undefined {
  return exceptionOf(error)?.$metadata.httpStatusCode
}

/** Whether S3 said that there is no such object (or upload), and not that there is no such bucket. */
export function isMissing(error: unknown): boolean {
  return statusOf(error) === 404 && exceptionOf(error)?.name !== 'NoSuchBucket'
}

function exceptionOf(error: unknown): S3ServiceException | undefined {
  if (error instanceof S3ServiceException) return error
  return error instanceof Error && error.cause instanceof S3ServiceException ? error.cause : undefined
}

function adviceFor(error: Error, bucket: string): string | undefined {
  if (error.name === 'CredentialsProviderError')
    return 'set store.accessKeyId and store.secretAccessKey, or give the process credentials that the AWS default chain finds'
  const status = statusOf(error)
  if (error.name === 'NoSuchBucket') return 'make the bucket, or correct store.bucket, store.endpoint and store.region'
  if (status === 301 || error.name === 'AuthorizationHeaderMalformed') return 'correct store.region'
  if (status === 401 || status === 403 || error.name === 'ExpiredToken' || error.name === 'InvalidToken')
    return `check store.accessKeyId and store.secretAccessKey, that they may put, get and list objects of "${bucket}", and this machine's clock`
  return undefined
}

function isPassing(error: Error): boolean {
  const status = statusOf(error)
  // An error without an answer is one of the network. An answer that cannot be read comes from something that is not S3.
  return status === undefined || status >= 500 || status === 429 || passing.has(error.name)
}

/** An AggregateError of several addresses that were tried has no message of its own. */
function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name
}
