import { describe, expect, inject, test, vi } from 'vitest'
import { realClock } from '../../src/hosts/parts.ts'
import { bearerTransport } from '../../src/ports/cluster/bearer.ts'
import { ClusterUnavailable } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { standardWebhook } from '../../src/ports/tracker/standard-webhook.ts'
import { TrackerRejected, TrackerUnavailable } from '../../src/ports/tracker/tracker.ts'
import { exampleNote } from '../contract/tracker-notes.ts'

/** What the fetch of workerd makes of connections that fail, where tests in Node have its own and its sockets. */

const server = inject('faultyServer')
const fetched = (request: Request) => fetch(request)
const pod = { namespace: 'shop', name: 'cart' }
const signal = new AbortController().signal

function clusterAt(fault: string) {
  const transport = bearerTransport({ name: 'main', url: `${server}/${fault}`, token: 'made-up', fetch: fetched, clock: realClock })
  return kubernetesCluster({ name: 'main', transport, clock: realClock, timeoutMs: 300 })
}

async function seen(name: string): Promise<{ asked: number; closed: number } | undefined> {
  return ((await (await fetch(`${server}/seen`)).json()) as Record<string, { asked: number; closed: number }>)[name]
}

describe('a cluster', () => {
  test.each([
    ['cut-before', 'cannot reach the API server'],
    ['cut-inside', 'cannot reach the API server'],
    ['silent', 'no answer within 0.3 s'],
    ['silent-inside', 'no answer within 0.3 s'],
    ['away', 'answers 503: away'],
  ])('that is %s is unavailable, with words that say why', async (fault, words) => {
    const error = await clusterAt(fault)
      .getPod(pod, signal)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ClusterUnavailable)
    expect((error as Error).message).toMatch(/^Cannot read pod "shop\/cart": .*cluster "main"/)
    expect((error as Error).message).toContain(words)
  })

  test('is not followed elsewhere', async () => {
    await expect(clusterAt('redirect').getPod(pod, signal)).rejects.toThrow('answers 307')
    expect(await seen('followed')).toBeUndefined()
  })

  test('ends the connection of a silent log whose reader has had enough', async () => {
    const before = await seen('silent-inside')
    const stop = new AbortController()
    const answer = await clusterAt('silent-inside').openLog(pod, 'app', { follow: true }, stop.signal)
    if (answer.kind !== 'open') throw new Error(answer.message)
    const reader = answer.body.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toContain('ok 1\n')
    const pending = reader.read().catch((error: unknown) => error)
    const reason = new Error('enough')
    stop.abort(reason)
    expect(await pending).toBe(reason)
    await vi.waitFor(async () => expect((await seen('silent-inside'))?.closed).toBe((before?.closed ?? 0) + 1), 5000)
  })
})

describe('a tracker', () => {
  const write = (fault: string) =>
    standardWebhook({
      url: `${server}/${fault}`,
      secret: `whsec_${btoa('made up for the tests, not a secret')}`,
      fetch: fetched,
      clock: realClock,
      requestTimeoutMs: 300,
    })
      .writeNote('APPLES-1', exampleNote(), { signal })
      .catch((thrown: unknown) => thrown)

  test.each(['cut-before', 'silent', 'away'])('that is %s is unavailable', async (fault) => {
    const error = await write(fault)
    expect(error).toBeInstanceOf(TrackerUnavailable)
    expect((error as Error).message).toContain('Cannot send the report "APPLES-1"')
    if (fault === 'away') expect((error as TrackerUnavailable).retryAfterMs).toBe(7000)
  })

  test('is not followed elsewhere', async () => {
    const error = await write('redirect')
    expect(error).toBeInstanceOf(TrackerRejected)
    expect((error as Error).message).toContain('redirects are not followed')
    expect(await seen('followed')).toBeUndefined()
  })
})
