import type { Context } from 'hono'
import type { RawPod } from '../ports/cluster/cluster.ts'
import { ApiError } from './api-error.ts'
import type { PodTable } from './pod-table.ts'
import { streamed } from './streamed.ts'

/** `GET …/pods?watch=1`: one JSON object a line. From resourceVersion "" or "0" the pods that there are come first. */
export function serveWatch(context: Context, table: PodTable, picks: (pod: RawPod) => boolean): Response {
  const asked = context.req.query('resourceVersion') ?? ''
  if (!/^\d*$/.test(asked)) {
    const why = `resourceVersion: Invalid value: ${JSON.stringify(asked)}: strconv.ParseUint: parsing ${JSON.stringify(asked)}: invalid syntax`
    throw new ApiError(500, undefined, why)
  }
  const seconds = Number(context.req.query('timeoutSeconds') ?? 0)
  const timeout = seconds > 0 ? AbortSignal.timeout(seconds * 1000) : undefined
  return streamed('application/json', context.req.raw.signal, (signal) =>
    encoded(watchLines(table, picks, Number(asked || 0), timeout ? AbortSignal.any([signal, timeout]) : signal)),
  )
}

async function* encoded(lines: AsyncIterable<unknown>): AsyncGenerator<Uint8Array, void, void> {
  const encoder = new TextEncoder()
  for await (const line of lines) yield encoder.encode(`${JSON.stringify(line)}\n`)
}

async function* watchLines(table: PodTable, picks: (pod: RawPod) => boolean, asked: number, signal: AbortSignal) {
  let from = asked
  if (asked === 0) {
    from = table.version
    for (const pod of table.list().filter(picks)) yield { type: 'ADDED', object: pod }
  } else if (asked < table.oldestVersion) {
    // A real server, too, tells this inside a 200.
    const expired = new ApiError(410, 'Expired', `too old resource version: ${asked} (${table.oldestVersion})`)
    yield { type: 'ERROR', object: expired.toStatus() }
    return
  }
  for await (const { type, object } of table.eventsAfter(from, signal)) if (picks(object)) yield { type, object }
}
