import { vi } from 'vitest'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { kubectl } from './environment.ts'

/** kubectl, again until it succeeds: the API server may be restarted beside these tests, and a new namespace lacks its account for a moment. */
export function kubectlAgain(args: readonly string[], input?: string): Promise<string> {
  return vi.waitFor(() => kubectl(args, input), { timeout: 30_000, interval: 300 })
}

/** Makes a pod, or whatever the manifest says. */
export function create(namespace: string, manifest: object): Promise<string> {
  return kubectlAgain(['-n', namespace, 'apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', ...manifest }))
}

export async function getPod(namespace: string, name: string): Promise<RawPod> {
  return JSON.parse(await kubectlAgain(['-n', namespace, 'get', 'pod', name, '-o', 'json']))
}

/** Waits until the pod is as is wanted, and returns it. */
export function podThat(namespace: string, name: string, is: (pod: RawPod) => boolean, timeout = 60_000): Promise<RawPod> {
  return vi.waitFor(
    async () => {
      const pod = await getPod(namespace, name)
      if (!is(pod)) throw new Error(`pod ${namespace}/${name} is not as awaited: ${JSON.stringify(pod.status)}`)
      return pod
    },
    { timeout, interval: 250 },
  )
}

export const isReady = ({ status }: RawPod): boolean =>
  status.containerStatuses?.every(({ ready, state }) => ready === true && state?.running !== undefined) ?? false

/** Waits until the container's log has a text. */
export function logThat(namespace: string, pod: string, text: string | RegExp, container?: string): Promise<string> {
  return vi.waitFor(
    async () => {
      const log = await kubectl(['-n', namespace, 'logs', pod, ...(container === undefined ? [] : ['-c', container])])
      if (typeof text === 'string' ? !log.includes(text) : !text.test(log)) throw new Error(`log of ${namespace}/${pod} lacks ${text}: ${log}`)
      return log
    },
    { timeout: 60_000, interval: 300 },
  )
}

/** A pod of the lab's `apples` image: `apples`, `bananas`, `idle`, `crash` or `complete`. */
export function fruitPod(
  name: string,
  part: string,
  more: { readonly metadata?: object; readonly spec?: object; readonly container?: object } = {},
): object {
  return {
    kind: 'Pod',
    metadata: { name, ...more.metadata },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'app', image: 'localhost/apples:1', args: [part], ...more.container }],
      ...more.spec,
    },
  }
}

/** A pod like those of the lab's deployment `apples`, but one of its own: what is added to a pod can never be removed from it. Resolves once it has failed to reach its backend. */
export async function createApples(name: string): Promise<RawPod> {
  const { spec } = JSON.parse(await kubectlAgain(['-n', 'fruit', 'get', 'deployment', 'apples', '-o', 'json']))
  await create('fruit', { kind: 'Pod', metadata: { name }, spec: spec.template.spec })
  const pod = await podThat('fruit', name, isReady)
  await logThat('fruit', name, '500 Internal Server Error')
  return pod
}
