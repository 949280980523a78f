import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { platform } from '#platform'
import { start } from '../../src/diagnosis/cursor.ts'
import type { Diagnosis } from '../../src/diagnosis/diagnosis.ts'
import { sealBundle } from '../../src/diagnosis/seal/bundle.ts'
import { encodeSegment, type SegmentHeader, segmentKey } from '../../src/diagnosis/segment.ts'
import type { Store } from '../../src/ports/store/store.ts'

const id = 'ad-0123456789abcdefghjk'
const top = 'support-bundle-2026-01-02T03_04_05'
const diagnosis: Diagnosis = {
  id,
  createdAt: '2026-01-02T03:04:05.678Z',
  updatedAt: '2026-01-02T03:05:00.000Z',
  finishedAt: '2026-01-02T03:05:00.000Z',
  requester: 'alice',
  cluster: 'main',
  target: { kind: 'pod', namespace: 'shop', name: 'cart' },
  profile: 'auto',
  checks: [],
  state: 'done',
  outcome: 'incomplete',
  explanation: 'the container ended without its end line',
  cancelRequested: false,
  pod: { name: 'cart', uid: 'f0f0f0f0-0000-4000-8000-000000000001' },
  containers: [
    { name: `${id}-1`, profile: 'restricted', image: 'registry.example/autodiagnose:1', lines: 3, exitCode: 137, gaps: ['lines are gone'] },
  ],
  findings: [
    {
      id: 'http/stock:8080',
      check: 'http',
      severity: 'error',
      title: 'stock answers 500',
      evidence: 'HTTP/1.1 500',
      next: 'look',
      source: 'container',
    },
    { id: 'annotations/checks', check: 'annotations', severity: 'info', title: 'an entry is not used', source: 'evidence' },
  ],
  redactions: { jwt: 2 },
}
const evidence = [
  { path: 'cluster-resources/pods/shop.json', text: '{"kind":"PodList","items":[]}\n' },
  { path: `cluster-resources/pods/logs/shop/${'long-pod-name-'.repeat(10)}/${'c'.repeat(60)}.log`, text: 'grüße\n' },
]

async function place() {
  const store = await platform.openStore()
  let segment = 0
  const put = (container: string, number: number, body: Uint8Array | string, artifact?: SegmentHeader['artifact']) => {
    segment = number
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body
    return store.create(segmentKey(id, container, number), encodeSegment({ cursor: { ...start, segment }, ...(artifact ? { artifact } : {}) }, bytes))
  }
  return { store, put }
}

async function bytesOf(store: Pick<Store, 'get'>, key: string): Promise<Uint8Array<ArrayBuffer>> {
  const object = await store.get(key)
  if (!object) throw new Error(`There is no "${key}"`)
  return new Uint8Array(await new Response(object.body).arrayBuffer())
}

/** Told at once: an assertion would compare, and print, element by element. */
const equals = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, at) => byte === other[at])

/** The paths of a bundle in their order, and the bytes and the text of its files. */
async function unpack(store: Pick<Store, 'get'>, key: string) {
  const entries = await platform.untar(await bytesOf(store, key))
  const bytes = (path: string): Uint8Array => {
    const found = entries.get(`${top}/${path}`)
    if (!found) throw new Error(`The bundle has no "${path}"`)
    return found
  }
  return { paths: [...entries.keys()], bytes, text: (path: string) => new TextDecoder().decode(bytes(path)) }
}

const signal = new AbortController().signal

describe('sealBundle', () => {
  test('opens with tar and follows the layout of Troubleshoot', async () => {
    const { store, put } = await place()
    await put(`${id}-1`, 1, 'TAP version 14\nok 1 - x\n')
    await put(`${id}-1`, 2, new Uint8Array([0, 255, 10, 0]), { name: 'dump.bin', index: 1, binary: true })
    await put(`${id}-1`, 3, new Uint8Array([7, 7]), { name: 'dump.bin', index: 1, binary: true })
    await put(`${id}-1`, 4, '1..1\n')
    await put(`${id}-2`, 1, 'TAP version 14\n1..0\n')
    const sealed = await sealBundle(diagnosis, evidence, store, signal)
    expect(sealed).toMatchObject({ key: `diagnoses/${id}/${top}.tar.gz`, filename: `${top}.tar.gz` })
    expect((await bytesOf(store, sealed.key)).length).toBe(sealed.bytes)

    const { paths, bytes, text } = await unpack(store, sealed.key)
    const inTop = new Set(paths.map((path) => path.split('/')[1]))
    expect([...inTop]).toEqual(expect.arrayContaining(['version.yaml', 'analysis.json', 'execution-data', 'autodiagnose']))
    expect(text('version.yaml')).toMatch(/^apiVersion: troubleshoot.sh\/v1beta2\nkind: SupportBundle\nspec:\n {2}versionNumber: /)
    expect(text(`autodiagnose/shop/cart/${id}-1-stdout.txt`)).toBe('TAP version 14\nok 1 - x\n1..1\n')
    expect(text(`autodiagnose/shop/cart/${id}-2-stdout.txt`)).toBe('TAP version 14\n1..0\n')
    expect([...bytes(`autodiagnose/shop/cart/${id}-1-artifacts/01-dump.bin.not-redacted`)]).toEqual([0, 255, 10, 0, 7, 7])
    for (const part of evidence) expect(text(part.path)).toBe(part.text)
    expect(JSON.parse(text('autodiagnose/diagnosis.json'))).toEqual(diagnosis)
    expect(text('execution-data/summary.txt')).toContain('missing     lines are gone')

    const sums = text('autodiagnose/SHA256SUMS').trimEnd().split('\n')
    for (const line of sums) {
      const [sum, path = ''] = line.split('  ')
      expect(createHash('sha256').update(bytes(path)).digest('hex'), path).toBe(sum)
    }
    // Everything but the sums themselves has one.
    expect(paths.map((path) => path.slice(top.length + 1)).toSorted()).toEqual(
      [...sums.map((line) => line.split('  ')[1]), 'autodiagnose/SHA256SUMS'].toSorted(),
    )
    expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(new Set([top]))
  })

  test('makes one file of an artifact whose first chunk was cut before it was known to be binary', async () => {
    const { store, put } = await place()
    await put(`${id}-1`, 1, '', { name: 'dump.bin', index: 1, binary: false })
    await put(`${id}-1`, 2, new Uint8Array([0, 255]), { name: 'dump.bin', index: 1, binary: true })
    await put(`${id}-1`, 3, '', { name: 'dump.bin', index: 1, binary: false })
    const { key } = await sealBundle(diagnosis, [], store, signal)
    const { paths, bytes } = await unpack(store, key)
    const artifacts = `autodiagnose/shop/cart/${id}-1-artifacts`
    expect(paths.filter((path) => path.startsWith(`${top}/${artifacts}`))).toEqual([`${top}/${artifacts}/01-dump.bin.not-redacted`])
    expect([...bytes(`${artifacts}/01-dump.bin.not-redacted`)]).toEqual([0, 255])
  })

  test('writes analysis.json as the tools of Troubleshoot read it', async () => {
    const { store } = await place()
    const { key } = await sealBundle(diagnosis, [], store, signal)
    expect(JSON.parse((await unpack(store, key)).text('analysis.json'))).toEqual([
      {
        name: 'http-stock-8080',
        labels: { desiredPosition: '', iconKey: '', iconUri: '' },
        insight: {
          name: 'http-stock-8080',
          labels: { iconKey: '', iconUri: '' },
          primary: 'stock answers 500',
          detail: 'stock answers 500\nHTTP/1.1 500\nNext: look',
          severity: 'error',
        },
        severity: 'error',
        analyzerSpec: '',
      },
      expect.objectContaining({ name: 'annotations-checks', severity: 'debug' }),
    ])
  })

  test('gives the same bytes again, and adopts a bundle that is there', async () => {
    const [one, other] = [await place(), await place()]
    for (const { put } of [one, other]) await put(`${id}-1`, 1, 'TAP version 14\n'.repeat(50_000))
    const first = await sealBundle(diagnosis, evidence, one.store, signal)
    await sealBundle(diagnosis, evidence, other.store, signal)
    const bytes = await bytesOf(one.store, first.key)
    expect(equals(bytes, await bytesOf(other.store, first.key))).toBe(true)
    expect(await sealBundle({ ...diagnosis, outcome: 'failed' }, [], one.store, signal)).toEqual(first)
    expect(equals(await bytesOf(one.store, first.key), bytes)).toBe(true)
  })

  test('gives one bundle where two workers seal at once', async () => {
    const { store, put } = await place()
    await put(`${id}-1`, 1, 'TAP version 14\n'.repeat(50_000))
    const [one, other] = await Promise.all([sealBundle(diagnosis, evidence, store, signal), sealBundle(diagnosis, evidence, store, signal)])
    expect(one).toEqual(other)
    await unpack(store, one.key)
  })

  test('leaves nothing where a segment cannot be read in the middle, and succeeds when called again', async () => {
    const { store, put } = await place()
    for (let n = 1; n <= 3; n++) await put(`${id}-1`, n, 'x'.repeat(100_000))
    let reads = 0
    // Three segments are read to be measured; the second of them fails when it is packed.
    const failing: Pick<Store, 'get' | 'head' | 'createFromStream'> = {
      head: store.head.bind(store),
      createFromStream: store.createFromStream.bind(store),
      get: (key, options) =>
        key.includes('segments/') && key.endsWith('000002') && ++reads === 2 ? Promise.reject(new Error('made up')) : store.get(key, options),
    }
    await expect(sealBundle(diagnosis, evidence, failing, signal)).rejects.toThrow('made up')
    expect(reads).toBe(2)
    expect(await store.head(`diagnoses/${id}/${top}.tar.gz`)).toBeUndefined()
    expect((await sealBundle(diagnosis, evidence, failing, signal)).bytes).toBeGreaterThan(0)
  })

  test('leaves nothing when it is aborted', async () => {
    const { store, put } = await place()
    for (let n = 1; n <= 3; n++) await put(`${id}-1`, n, 'x'.repeat(100_000))
    const controller = new AbortController()
    const aborting: Pick<Store, 'get' | 'head' | 'createFromStream'> = {
      head: store.head.bind(store),
      get: store.get.bind(store),
      createFromStream: (key, body, options) => {
        controller.abort(new Error('the worker ends'))
        return store.createFromStream(key, body, options)
      },
    }
    await expect(sealBundle(diagnosis, evidence, aborting, controller.signal)).rejects.toThrow()
    const left: string[] = []
    for await (const { key } of store.list(`diagnoses/${id}/`)) left.push(key)
    expect(left.filter((key) => !key.includes('/segments/'))).toEqual([])
  })

  test('holds little of a log of 60 MB in memory', async () => {
    const size = 1_000_000
    const count = 60
    // Noise, so that the compressed stream is as large.
    const noise = Uint8Array.from({ length: size }, (_, at) => (Math.imul(at, 0x9e3779b1) >>> 13) & 255)
    let read = 0
    let taken = 0
    let most = 0
    const store: Pick<Store, 'get' | 'head' | 'createFromStream'> = {
      head: async () => (taken > 0 ? { bytes: taken } : undefined),
      get: async (key) => {
        const number = Number(key.slice(-6))
        if (!key.includes(`${id}-1/`) || number > count) return undefined
        const bytes = encodeSegment({ cursor: { ...start, segment: number } }, noise)
        read += size
        return { bytes: bytes.length, contentType: 'application/octet-stream', body: new Blob([bytes.slice()]).stream() }
      },
      createFromStream: async (_, body) => {
        read = 0
        const unzipped = body.pipeThrough(new DecompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>)
        for await (const chunk of unzipped) {
          taken += chunk.length
          most = Math.max(most, read - taken)
        }
        return 'created'
      },
    }
    await sealBundle(diagnosis, [], store, signal)
    expect(taken).toBeGreaterThan(size * count)
    // Queues of the packer (8 MiB), of both gzip streams and of their pipes: as large for any log.
    expect(most).toBeLessThan(32 * 2 ** 20)
  })
})
