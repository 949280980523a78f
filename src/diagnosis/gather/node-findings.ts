import type { Raw } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { lengthOf, since } from './ago.ts'
import { conditionsOf } from './containers.ts'
import { evidenceFinding } from './evidence-finding.ts'

export interface NodeReading {
  readonly findings: readonly Finding[]
  /** One sentence: the node has too little memory, or too few process ids, for another container. */
  readonly pressure?: string
}

const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: 'memory',
  DiskPressure: 'disk',
  PIDPressure: 'process id',
}

/** What the conditions of the pod's node say is wrong; `now` is in milliseconds. */
export function readNode(node: Raw | undefined, now: number): NodeReading {
  if (!node) return { findings: [] }
  const name = String((node.metadata as { readonly name?: string } | undefined)?.name ?? '?')
  const findings: Finding[] = []
  let pressure: string | undefined
  for (const { type, status, reason = '', message = '', lastTransitionTime } of conditionsOf(node.status)) {
    const age = since(lastTransitionTime, now)
    const lasts = age === undefined ? '' : ` for ${lengthOf(age)}`
    const evidence = `${type}=${status} since ${lastTransitionTime ?? '?'}: ${reason}: ${message}`
    const next = `kubectl describe node ${name}`
    if (type === 'Ready' && status !== 'True') {
      const silent = status === 'Unknown' ? ', its kubelet says nothing any more' : ''
      findings.push(
        evidenceFinding('node', 'not-ready', 'error', `Node ${name} of the pod has not been ready${lasts}${silent}: ${reason}: ${message}`, {
          evidence,
          cause:
            status === 'Unknown'
              ? 'The node is down, its kubelet has stopped, or it does not reach the API server'
              : 'The kubelet says that its node, its runtime or its network is not ready',
          next,
        }),
      )
    }
    const kind = pressures[type]
    if (kind === undefined || status !== 'True') continue
    const title = `Node ${name} of the pod has been under ${kind} pressure${lasts}: ${message || reason}`
    findings.push(
      evidenceFinding('node', type, 'warn', title, {
        evidence,
        cause: 'The kubelet evicts pods from such a node, those first that use more than they asked for',
        next,
      }),
    )
    if (type !== 'DiskPressure') pressure ??= title
  }
  return { findings, ...(pressure === undefined ? {} : { pressure }) }
}
