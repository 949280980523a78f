import { createReadStream } from 'node:fs'
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

/** All that a user has called since a time (RFC 3339), in the order in which it was answered. */
export async function callsOf(user: string, since = ''): Promise<readonly AuditedCall[]> {
  const calls: AuditedCall[] = []
  for await (const line of createInterface(createReadStream(labVariable('LAB_AUDIT_LOG')))) {
    if (!line.includes(user)) continue
    const event = JSON.parse(line)
    // A watch is told when it begins as well.
    if (event.user.username !== user || event.stage !== 'ResponseComplete' || event.requestReceivedTimestamp < since) continue
    const { resource, subresource, apiGroup, namespace, name } = event.objectRef ?? {}
    const whole = [apiGroup, resource, subresource].filter(Boolean).join('/')
    calls.push({ verb: event.verb, resource: whole || event.requestURI.replace(/\?.*/, ''), namespace, name, code: event.responseStatus?.code ?? 0 })
  }
  return calls
}
