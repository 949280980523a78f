import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import type { Raw, RawPod } from '../ports/cluster/cluster.ts'
import { secondTime } from './clock.ts'
import type { Kubelet } from './kubelet.ts'

/** `metrics.k8s.io` PodMetrics with the resident memory that the first process of each container has now; undefined if none runs. */
export async function podMetrics(pod: RawPod, kubelet: Kubelet): Promise<Raw | undefined> {
  const containers = await Promise.all(
    [...kubelet.containers(pod)].map(async ([name, { pid }]) => {
      const memory = pid === undefined ? undefined : await residentKiB(pid)
      return memory === undefined ? [] : [{ name, usage: { memory: `${memory}Ki` } }]
    }),
  )
  if (containers.flat().length === 0) return undefined
  const { name, namespace, labels } = pod.metadata
  return {
    kind: 'PodMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name, namespace, creationTimestamp: secondTime(), ...(labels ? { labels } : {}) },
    timestamp: secondTime(),
    window: '0s',
    containers: containers.flat(),
  }
}

/** From /proc, or from ps where there is none. */
async function residentKiB(pid: number): Promise<number | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0)
  } catch {
    const ps = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]).catch(() => undefined)
    return ps ? Number(ps.stdout) : undefined
  }
}
