import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test, vi } from 'vitest'
import { checkHeaders } from '../../scripts/checks.ts'
import { diagnosticImage } from '../faults/diagnostic-image.ts'
import { params } from './check-params.ts'
import { kubectl, needsLab, useNamespace } from './environment.ts'
import { cgroupOf } from './node-cgroup.ts'
import { create, fruitPod, getPod, isReady, podThat } from './pods.ts'

const mebibyte = 1024 * 1024
const ids = { runAsUser: 1000, runAsGroup: 1000 }

interface Cost {
  /** Rise of the pod's peak, in bytes. */
  readonly memory: number
  /** Seconds on a processor, the runtime's own start included. */
  readonly cpu: number
}

describe('what a check costs', { timeout: 600_000 }, () => {
  needsLab()
  const namespace = useNamespace('costs')

  test('is what its head says, or less', async () => {
    const image = await diagnosticImage()
    await create(namespace, fruitPod('target', 'idle', { container: { securityContext: ids } }))
    const { metadata } = await podThat(namespace, 'target', isReady)
    const measure = (name: string, args: readonly string[]) => costOf(namespace, metadata.uid, { name, image, args })
    await measure('warm', ['--expires=1000000000'])
    // Of several, for the start of a container differs each time.
    const bare: Cost[] = []
    for (const name of ['bare-1', 'bare-2', 'bare-3']) bare.push(await measure(name, ['--expires=1000000000']))
    const runner = { memory: Math.max(...bare.map(({ memory }) => memory)), cpu: Math.max(...bare.map(({ cpu }) => cpu)) }
    console.log(`the runner alone: ${told(runner)}`)
    const over: string[] = []
    // Those with tools are measured beside the runtimes that they are for: runtimes.test.ts.
    for (const { name, param, memoryKib, cpuSeconds } of checkHeaders().filter(({ tools }) => tools.length === 0)) {
      const cost = await measure(name, [param === 'required' ? `${name}=${params[name]}` : name])
      const beyond = { memory: Math.max(0, cost.memory - runner.memory), cpu: Math.max(0, cost.cpu - runner.cpu) }
      const line = `${name.padEnd(14)} ${told(beyond)}; its head says ${told({ memory: memoryKib * 1024, cpu: cpuSeconds })}`
      console.log(line)
      // A busy machine makes everything take longer.
      if (beyond.memory > memoryKib * 1024 + mebibyte / 2 || beyond.cpu > 2 * cpuSeconds) over.push(line)
    }
    expect(over).toEqual([])
    expect((await getPod(namespace, 'target')).status.containerStatuses?.[0]?.restartCount).toBe(0)
  })
})

const told = ({ memory, cpu }: Cost): string => `memory ${(memory / mebibyte).toFixed(1).padStart(4)} MiB, cpu ${cpu.toFixed(2)} s`

/** Runs a diagnostic container in the pod, and tells what the pod's cgroup says of it. */
async function costOf(
  namespace: string,
  uid: string,
  { name, image, args }: { name: string; image: string; args: readonly string[] },
): Promise<Cost> {
  const group = { memory: cgroupOf('memory', uid), cpu: cgroupOf('cpuacct', uid) }
  const peak = `${group.memory}/memory.max_usage_in_bytes`
  writeFileSync(peak, '0')
  const before = { memory: numberIn(`${group.memory}/memory.usage_in_bytes`), cpu: cpuOf(group.cpu) }
  const securityContext = {
    ...ids,
    runAsNonRoot: true,
    readOnlyRootFilesystem: true,
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  const container = { name, image, imagePullPolicy: 'Never', args, securityContext, targetContainerName: 'app' }
  const patch = JSON.stringify({ spec: { ephemeralContainers: [container] } })
  await kubectl(['-n', namespace, 'patch', 'pod', 'target', '--subresource=ephemeralcontainers', '--type=strategic', '-p', patch])
  await vi.waitFor(
    async () => {
      const path = `jsonpath={.status.ephemeralContainerStatuses[?(@.name=="${name}")].state.terminated.exitCode}`
      expect(await kubectl(['-n', namespace, 'get', 'pod', 'target', '-o', path])).toBe('0')
    },
    { timeout: 60_000, interval: 300 },
  )
  return { memory: numberIn(peak) - before.memory, cpu: cpuOf(group.cpu) - before.cpu }
}

const numberIn = (file: string): number => Number(readFileSync(file, 'utf8'))
const cpuOf = (group: string): number => numberIn(`${group}/cpuacct.usage`) / 1e9
