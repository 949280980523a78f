import { randomUUID } from 'node:crypto'
import type { Raw, RawContainer, RawPod } from '../ports/cluster/cluster.ts'
import { invalid, required } from './api-error.ts'
import { secondTime } from './clock.ts'

/** The pod of a manifest with what the API server and the scheduler fill in. Throws a 422 for one that lacks a name or containers. */
export function newPod(manifest: Raw, namespace: string): RawPod {
  const { metadata = {}, spec = {} } = manifest as { metadata?: Raw; spec?: Raw }
  const containers = (spec.containers ?? []) as readonly RawContainer[]
  const name = metadata.name as string | undefined
  const complaints = [
    ...(name ? [] : [required('metadata.name', 'name or generateName is required')]),
    ...(containers.length > 0 ? [] : [required('spec.containers')]),
  ]
  if (!name || complaints.length > 0) throw invalid('Pod', name ?? '', complaints)
  const now = secondTime()
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { ...metadata, name, namespace, uid: randomUUID(), creationTimestamp: now, generation: 1 },
    spec: {
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      nodeName: 'emulator',
      securityContext: {},
      schedulerName: 'default-scheduler',
      ...spec,
      containers: containers.map((container) => ({
        resources: {},
        terminationMessagePath: '/dev/termination-log',
        terminationMessagePolicy: 'File',
        imagePullPolicy: 'IfNotPresent',
        ...container,
      })),
    },
    status: {
      phase: 'Pending',
      qosClass: containers.some(({ resources }) => resources?.limits ?? resources?.requests) ? 'Burstable' : 'BestEffort',
      hostIP: '127.0.0.1',
      podIP: '127.0.0.1',
      podIPs: [{ ip: '127.0.0.1' }],
      startTime: now,
    },
  }
}
