interface Kind {
  readonly status: number
  readonly title: string
  /** For the page of the problem: what it means and what to do. */
  readonly explanation: string
}

/** All problems that this API answers. A name, once published, keeps its meaning. */
export const problems = {
  'malformed-request': {
    status: 400,
    title: 'The request cannot be read',
    explanation:
      'The body is not the JSON or the form that its Content-Type announces, or a header has a form that its standard does not allow. Look at how the body was made.',
  },
  'invalid-query': {
    status: 400,
    title: 'The query has unknown or wrong parameters',
    explanation: 'Each wrong parameter is named in `errors`. Unknown ones are refused, so that a misspelt filter does not silently show everything.',
  },
  'invalid-cursor': {
    status: 400,
    title: 'The cursor is not one of this list',
    explanation: 'A cursor comes from `next` of the page before and works with the same filters only. Begin without a cursor.',
  },
  unauthorized: {
    status: 401,
    title: 'Who are you?',
    explanation:
      'Send a token as `Authorization: Bearer TOKEN`. Whoever runs this service makes tokens and puts their hashes into its configuration. In a browser, log in.',
  },
  forbidden: {
    status: 403,
    title: 'Policy does not allow this',
    explanation:
      'No single rule of the policy allows all that was asked: cluster, namespace, profile, checks and report together. The detail names the first dimension in which nothing fits. Whoever runs this service writes the policy.',
  },
  'cross-site': {
    status: 403,
    title: 'The request came from another site',
    explanation: 'A browser sent it with your session, but from a page that is not ours. If that was you: use the pages of this service, or a token.',
  },
  'not-found': {
    status: 404,
    title: 'There is nothing here',
    explanation: 'No such page; or no such diagnosis, or one that you may not see: both are answered alike.',
  },
  'no-bundle': {
    status: 404,
    title: 'The diagnosis has no bundle',
    explanation: 'It ended before a bundle could be made, or the bundle was removed from the store since. The diagnosis itself says how it ended.',
  },
  'method-not-allowed': {
    status: 405,
    title: 'The method is not for this address',
    explanation: 'The Allow header names those that are.',
  },
  'bundle-not-ready': {
    status: 409,
    title: 'The bundle is not ready yet',
    explanation:
      'A bundle is made when the diagnosis has ended. Ask again after the seconds in Retry-After; or follow the log, which ends when the bundle is there.',
  },
  'already-done': {
    status: 409,
    title: 'The diagnosis is over',
    explanation: 'There is nothing left to cancel. Its findings and its bundle stay.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    explanation: 'A request has at most 64 KiB, what a webhook delivers 4 MiB.',
  },
  'unsupported-media-type': {
    status: 415,
    title: 'The Content-Type is not supported',
    explanation: 'Send application/json or application/x-www-form-urlencoded.',
  },
  'invalid-request': {
    status: 422,
    title: 'Something in the request is wrong',
    explanation: 'Each wrong field is named in `errors`, with its value and what to do. Nothing was started.',
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    explanation: 'A key stands for one request with one body. Send the same body again to get its diagnosis, or a new key for a new diagnosis.',
  },
  'unknown-source': {
    status: 404,
    title: 'There is no such webhook',
    explanation: 'Webhooks have the names that the configuration gives them, under `sources`. Look at the end of the URL, and at the configuration.',
  },
  'bad-signature': {
    status: 401,
    title: 'The message is not from who may send it',
    explanation:
      'Its token, password or signature is not the one that is configured, or the time that it was signed at is too far from now. Compare the secret on both sides, and the clocks.',
  },
  'not-a-delivery': {
    status: 422,
    title: 'This is not what the webhook takes',
    explanation:
      'Each source has a form of its own: see its page in the documentation. What was sent has another one, such as a custom payload. Nothing was kept.',
  },
  internal: {
    status: 500,
    title: 'The service failed',
    explanation: 'This is a fault of the service, not of your request. Its log has the cause under the request id of the answer.',
  },
  unavailable: {
    status: 503,
    title: 'Something that the service needs is not there',
    explanation: 'The cluster, the database or the object store could not be reached. The same request may succeed later.',
  },
} as const satisfies Readonly<Record<string, Kind>>

export type ProblemSlug = keyof typeof problems
