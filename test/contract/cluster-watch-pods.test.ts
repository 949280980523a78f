import { describe, expect, test } from 'vitest'
import { ClusterForbidden, type RawPod } from '../../src/ports/cluster/cluster.ts'
import { answering, status, thePod } from './scripted-cluster.ts'

describe('watching the pods of a namespace', () => {
  const at = (version: string, name = 'cart') => ({ ...thePod, metadata: { ...thePod.metadata, name, uid: name, resourceVersion: version } })
  const list = (resourceVersion: string, items: readonly unknown[], next?: string) =>
    Response.json({ kind: 'PodList', metadata: { resourceVersion, ...(next ? { continue: next } : {}) }, items })
  const lines = (...events: (object | string)[]) =>
    new Response(events.map((event) => (typeof event === 'string' ? event : `${JSON.stringify(event)}\n`)).join(''))
  /** The first pods that it yields, each with its version. */
  const first = async (count: number, ...answers: Parameters<typeof answering>) => {
    const { cluster, requests } = answering(...answers)
    const abort = new AbortController()
    const seen: string[] = []
    for await (const { metadata } of cluster.watchPods('shop', abort.signal) as AsyncIterable<RawPod>) {
      seen.push(`${metadata.name}@${metadata.resourceVersion}`)
      if (seen.length === count) abort.abort()
    }
    const queries = requests.map(({ path }) => new URLSearchParams(path.split('?')[1]))
    return { seen, asked: queries.map((query) => [query.get('watch'), query.get('continue') ?? query.get('resourceVersion')]) }
  }

  test('reads all pages, and goes on at the last version that it saw, bookmarks included', async () => {
    const bookmark = { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion: '20' } } }
    const { seen, asked } = await first(
      4,
      list('7', [at('5'), at('6', 'stock')], 'more'),
      list('7', [at('7', 'web')]),
      lines({ type: 'DELETED', object: at('8', 'web') }, bookmark),
      lines({ type: 'ADDED', object: at('21', 'new') }, '{"type":"MODI'),
    )
    expect(seen).toEqual(['cart@5', 'stock@6', 'web@7', 'new@21'])
    expect(asked).toEqual([
      [null, null],
      [null, 'more'],
      ['1', '7'],
      ['1', '20'],
    ])
  })

  test.each([
    ['an event', lines({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })],
    ['the answer', status(410, 'too old resource version: 7 (9)')],
  ])('lists once more after a 410 that is %s', async (_, tooOld) => {
    const { seen } = await first(3, list('7', [at('7')]), tooOld, list('9', [at('9')]), lines({ type: 'MODIFIED', object: at('10') }))
    expect(seen).toEqual(['cart@7', 'cart@9', 'cart@10'])
  })

  test('begins a list anew that grew too old between two pages, and outlasts a server that is away', async () => {
    const away = new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
    const broken = new Response(new ReadableStream({ pull: (controller) => controller.error(new TypeError('terminated')) }))
    const { seen } = await first(
      4,
      away,
      list('7', [at('5')], 'more'),
      status(410, 'the provided continue parameter is too old'),
      list('9', [at('8')]),
      broken,
      status(503, 'starting'),
      lines({ type: 'MODIFIED', object: at('10') }, { type: 'MODIFIED', object: at('11') }),
    )
    expect(seen).toEqual(['cart@5', 'cart@8', 'cart@10', 'cart@11'])
  })

  test('throws where the right is missing', async () => {
    await expect(first(1, status(403, 'pods is forbidden'))).rejects.toThrow(ClusterForbidden)
  })
})
