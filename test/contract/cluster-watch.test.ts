import { describe, expect, test, vi } from 'vitest'
import type { RawPod, Transport } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { answering, pod, signal, status, thePod } from './scripted-cluster.ts'
import { wallClock } from './wall-clock.ts'

describe('watching', () => {
  const at = (version: string, uid = 'u1') => ({ ...thePod, metadata: { ...thePod.metadata, uid, resourceVersion: version } })
  const list = (version: string, ...items: unknown[]) => Response.json({ kind: 'PodList', metadata: { resourceVersion: version }, items })
  const lines = (...events: (object | string)[]) =>
    new Response(events.map((event) => (typeof event === 'string' ? event : `${JSON.stringify(event)}\n`)).join(''))
  const versions = async (watch: AsyncIterable<RawPod | undefined>) => {
    const seen: (string | undefined)[] = []
    for await (const now of watch) seen.push(now?.metadata.resourceVersion)
    return seen
  }

  test.each([
    ['an end', lines({ type: 'MODIFIED', object: at('8') })],
    ['a version that is too old', lines({ type: 'MODIFIED', object: at('8') }, { type: 'ERROR', object: { code: 410, reason: 'Expired' } })],
    ['a line that is cut', lines({ type: 'BOOKMARK', object: {} }, { type: 'MODIFIED', object: at('8') }, '{"type":"MODI')],
  ])('goes on after %s from what is then', async (_, watch) => {
    const { cluster, requests } = answering(list('7', at('7')), watch, list('9', at('8')), lines({ type: 'MODIFIED', object: at('10') }), list('11'))
    expect(await versions(cluster.watchPod(pod, signal))).toEqual(['7', '8', '10', undefined])
    expect(requests.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('resourceVersion'))).toEqual([null, '7', null, '9', null])
    expect(new Set(requests.map(({ path }) => new URLSearchParams(path.split('?')[1]).get('fieldSelector')))).toEqual(new Set(['metadata.name=cart']))
  })

  test('goes on after a server that is away', async () => {
    const away = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    const broken = new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) }))
    const { cluster } = answering(
      away,
      list('7', at('7')),
      broken,
      status(503, 'starting'),
      list('8', at('8')),
      lines({ type: 'DELETED', object: at('9') }),
    )
    expect(await versions(cluster.watchPod(pod, signal))).toEqual(['7', '8', undefined])
  })

  test('goes on after a 410 that is the answer itself', async () => {
    const tooOld = () => status(410, 'too old resource version: 7 (9)')
    const { cluster } = answering(tooOld, list('7', at('7')), tooOld, list('9', at('8')), lines({ type: 'DELETED', object: at('9') }))
    expect(await versions(cluster.watchPod(pod, signal))).toEqual(['7', '8', undefined])
  })

  test('ends when another pod has taken the name', async () => {
    const { cluster } = answering(list('7', at('7')), lines(), list('12', at('11', 'u2')))
    expect(await versions(cluster.watchPod(pod, signal))).toEqual(['7', undefined])
  })

  test('ends quietly while it waits to try again', async () => {
    const abort = new AbortController()
    const transport = vi.fn<Transport>(async () => {
      throw new TypeError('fetch failed')
    })
    const watching = versions(kubernetesCluster({ name: 'test', transport, clock: wallClock }).watchPod(pod, abort.signal))
    await vi.waitFor(() => expect(transport.mock.calls.length).toBeGreaterThan(2))
    abort.abort()
    expect(await watching).toEqual([])
  })
})
