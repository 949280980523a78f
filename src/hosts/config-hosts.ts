import { configSchema } from '../config.ts'
import { bytesOf } from '../config-facts.ts'
import { visibleTo } from '../diagnosis/admit/policy.ts'
import { isMap, type Problem } from './config-problems.ts'

export type HostName = 'node' | 'workers'

const { shape } = configSchema
/** D1 takes no longer pattern for LIKE, and a list looks for what its reader may see: https://developers.cloudflare.com/d1/platform/limits/ */
const maxPatternBytes = 50
/** D1 takes 100 parameters a query; a list has a few of its own. */
const maxPatterns = 90

/** What is right in itself and not to be had on this host. Nothing while the schema refuses these parts. */
export function hostProblems(input: unknown, host: HostName): Problem[] {
  if (!isMap(input)) return []
  return host === 'node' ? nodeProblems(input) : workersProblems(input)
}

/** The segments of a longer log alone would be more than one run may ask for. */
const maxOutputMiB = 64

type Input = Readonly<Record<string, unknown>>

function nodeProblems(input: Input): Problem[] {
  const store = shape.store.safeParse(input.store)
  const clusters = Object.entries(shape.clusters.safeParse(input.clusters).data ?? {})
  return [
    ...(store.data?.kind === 'r2' ? [{ path: ['store', 'kind'], message: 'an R2 bucket is bound to Workers; on Node use s3 or files' }] : []),
    ...clusters.flatMap(([name, cluster]) =>
      'binding' in cluster ? [{ path: ['clusters', name, 'binding'], message: 'bindings are for Workers; take it out' }] : [],
    ),
  ]
}

function workersProblems(input: Input): Problem[] {
  const store = shape.store.safeParse(input.store)
  const clusters = Object.entries(shape.clusters.safeParse(input.clusters).data ?? {})
  const trackers = Object.entries(shape.trackers.safeParse(input.trackers).data ?? {})
  return [
    ...(new URL(shape.publicUrl.safeParse(input.publicUrl).data ?? 'x:').pathname.length > 1
      ? [{ path: ['publicUrl'], message: 'Workers serve from the root of their host: give scheme and host alone' }]
      : []),
    ...(store.data?.kind === 'files' ? [{ path: ['store', 'kind'], message: 'Workers have no directories; use r2 or s3' }] : []),
    ...(store.data?.kind === 's3' && !store.data.accessKeyId
      ? [{ path: ['store', 'accessKeyId'], message: 'Workers have no default chain of AWS; set accessKeyId and secretAccessKey' }]
      : []),
    ...clusters.flatMap(([name, cluster]) =>
      'url' in cluster ? [] : [{ path: ['clusters', name], message: 'Workers reach a cluster by {url: URL, token: SECRET}' }],
    ),
    ...trackers.flatMap(([name, { kind }]) =>
      kind === 'local' ? [{ path: ['trackers', name, 'kind'], message: 'Workers have no directories; name a real tracker' }] : [],
    ),
    ...(bytesOf(shape.diagnosis.safeParse(input.diagnosis).data?.outputBytes ?? 0) > maxOutputMiB * 1024 ** 2
      ? [
          {
            path: ['diagnosis', 'outputBytes'],
            message: `at most ${maxOutputMiB}Mi on Workers, because of the number of requests that a run may make`,
          },
        ]
      : []),
    ...((shape.adoption.safeParse(input.adoption).data ?? []).length > 0
      ? [{ path: ['adoption'], message: 'Workers cannot watch pods all the time; adoption is for Node: take it out' }]
      : []),
    ...policyProblems(input),
  ]
}

function policyProblems(input: Input): Problem[] {
  const policy = shape.policy.safeParse(input.policy).data ?? []
  const principals = shape.principals.safeParse(input.principals).data ?? []
  const tooLong = policy.flatMap(({ clusters, namespaces }, n) =>
    Object.entries({ clusters, namespaces }).flatMap(([key, patterns]) =>
      patterns.flatMap((pattern, at) =>
        pattern.includes('*') && new TextEncoder().encode(pattern).byteLength > maxPatternBytes
          ? [
              {
                path: ['policy', n, key, at],
                message: `a pattern with * may have ${maxPatternBytes} bytes on Workers, because D1 takes no longer one`,
              },
            ]
          : [],
      ),
    ),
  )
  const tooMany = principals.flatMap(({ name }, n) => {
    const patterns = visibleTo(policy, name).flatMap((rule) => [...rule.clusters, ...rule.namespaces].filter((pattern) => pattern !== '*'))
    const message = `the rules for "${name}" name ${patterns.length} clusters and namespaces; on Workers at most ${maxPatterns}, because of D1: use patterns with *`
    return patterns.length > maxPatterns ? [{ path: ['principals', n], message }] : []
  })
  return [...tooLong, ...tooMany]
}
