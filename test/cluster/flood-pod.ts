import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { vi } from 'vitest'
import { kubectl, labVariable } from './environment.ts'
import type { Listened } from './flood-listener.ts'

export interface Flood {
  readonly lines: number
  /** Lines a second. */
  readonly rate: number
  /** Bytes of padding behind each number. */
  readonly width: number
}

/** Starts a pod that prints numbered lines, as soon as the namespace has its service account. */
export async function startFlood(namespace: string, name: string, { lines, rate, width }: Flood): Promise<Listened> {
  const containers = [{ name: 'flood', image: 'localhost/flood:1', args: [`-lines=${lines}`, `-rate=${rate}`, `-width=${width}`] }]
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { restartPolicy: 'Never', terminationGracePeriodSeconds: 1, containers } }
  const create = () => kubectl(['-n', namespace, 'create', '-o', 'json', '-f', '-'], JSON.stringify(pod))
  const { metadata } = JSON.parse(await vi.waitFor(create, { timeout: 30_000, interval: 300 }))
  return { kubeconfig: process.env.KUBECONFIG ?? '', id: name, pod: { namespace, name }, uid: metadata.uid, container: 'flood' }
}

/** Names of the files that the kubelet has rotated out of the log's way and not yet removed, compressed or not. */
export async function rotatedFiles({ pod, uid, container }: Listened): Promise<readonly string[]> {
  const state = dirname(dirname(labVariable('LAB_AUDIT_LOG')))
  const files = await readdir(join(state, 'pods-log', `${pod.namespace}_${pod.name}_${uid}`, container))
  return [...new Set(files.filter((file) => !file.endsWith('.log')).map((file) => file.replace(/\.(gz|tmp)$/, '')))]
}

/** Where lines are not what flood printed, from line `from` on: empty if each is there once and in order. */
export function wrongLines(lines: readonly string[], { width }: Flood, from = 1): readonly string[] {
  const padding = 'x'.repeat(width)
  return lines.flatMap((line, index) => {
    const expected = `${String(from + index).padStart(10, '0')} ${padding}`
    return line === expected ? [] : [`line ${from + index} is "${line.slice(0, 100)}"`]
  })
}
