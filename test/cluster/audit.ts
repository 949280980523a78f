import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { labVariable } from './environment.ts'

/** One request as the API server's audit log has it. */
export interface AuditedCall {
  readonly verb: string
  /** As in a Role, its group before it where it has one: `pods/log`, `metrics.k8s.io/pods`; the path where it is no resource. */
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly code: number
}

/** All that a user has called since a time (RFC 3339), in the order in which it was answered. Throws if the log does not reach back so far. */
export async function callsOf(user: string, since: string, log = labVariable('LAB_AUDIT_LOG')): Promise<readonly AuditedCall[]> {
  for (;;) {
    const files = await filesOf(log)
    const calls = await read(files, user, since)
    // What is rotated while it is read may be missed.
    if ((await filesOf(log)).join() === files.join()) return calls
  }
}

/** With what was rotated out of its way, the oldest first: `audit-2026-01-31T12-00-00.000.log` beside `audit.log`. */
async function filesOf(log: string): Promise<readonly string[]> {
  const name = basename(log, '.log')
  const rotated = (await readdir(dirname(log))).filter((file) => file.startsWith(`${name}-2`) && file.endsWith('.log'))
  return [...rotated.sort().map((file) => join(dirname(log), file)), log]
}

async function read(files: readonly string[], user: string, since: string): Promise<readonly AuditedCall[]> {
  const calls: AuditedCall[] = []
  let oldest: string | undefined
  for (const file of files) {
    for await (const line of createInterface(createReadStream(file))) {
      if (oldest !== undefined && !line.includes(user)) continue
      const event = JSON.parse(line)
      oldest ??= event.requestReceivedTimestamp as string
      // A watch is told when it begins as well.
      if (event.user.username !== user || event.stage !== 'ResponseComplete' || event.requestReceivedTimestamp < since) continue
      const { resource, subresource, apiGroup, namespace, name } = event.objectRef ?? {}
      const whole = [apiGroup, resource, subresource].filter(Boolean).join('/')
      calls.push({
        verb: event.verb,
        resource: whole || event.requestURI.replace(/\?.*/, ''),
        namespace,
        name,
        code: event.responseStatus?.code ?? 0,
      })
    }
  }
  if (oldest === undefined || oldest > since)
    throw new Error(`Cannot tell what ${user} called since ${since}: the audit log begins at ${oldest}, what was before is rotated away`)
  return calls
}
