import { describe, expect, test } from 'vitest'
import { compareFacts, FactReader, type Facts } from '../../src/diagnosis/compare/facts.ts'
import { markShared, onTwinAlone } from '../../src/diagnosis/compare/findings.ts'
import { measure } from '../../src/diagnosis/compare/numbers.ts'
import { compareSpecs } from '../../src/diagnosis/compare/specs.ts'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'

const facts = (log: string): Facts => {
  const reader = new FactReader()
  for (const piece of log.match(/[\s\S]{1,7}/g) ?? []) reader.push(piece)
  return reader.finish()
}
const nobody: Parameters<typeof compareFacts>[2] = { target: [], twin: [] }

describe('FactReader', () => {
  test('keeps points that passed and comments by check, and no finding, YAML or line of the runner', () => {
    const log = `TAP version 14
# autodiagnose target pid=1 uid=1 gid=1 visible=yes
# check disk
ok 1 - / has 80 % free
not ok 2 - volume /data is full
  ---
  evidence: |
    # 100 of 100 MiB
  ...
#   /data 100 %
# check dns
ok 3 - dns # SKIP no name
1..3
# autodiagnose end lines=9 bytes=1
`
    expect(Object.fromEntries(facts(log))).toEqual({ disk: ['/ has 80 % free', '/data 100 %'], dns: ['dns # SKIP no name'] })
  })

  test('takes the second container for what it ran again', () => {
    const reader = new FactReader()
    reader.push('# check processes\nok 1 - processes # SKIP blind\n# check dns\nok 2 - fine\n')
    reader.next()
    reader.push('# check processes\nok 1 - 3 processes\n')
    expect(Object.fromEntries(reader.finish())).toEqual({ processes: ['3 processes'], dns: ['fine'] })
  })
})

describe('compareFacts', () => {
  const differences = (target: readonly string[], twin: readonly string[], names = nobody) =>
    compareFacts(new Map([['x', target]]), new Map([['x', twin]]), names)

  test.each([
    ['pids and ephemeral ports', 'tcp 10.88.0.7:41234 to 10.96.0.1:443 by 12 (app)', 'tcp 10.88.0.9:55555 to 10.96.0.1:443 by 4711 (app)'],
    ['addresses of version 6', 'tcp [fd00::12]:443', 'tcp [fd00::9]:443'],
    ['rows of processes', '    12     S      1 65532 65532    1200       5     10 app', '  4711     S     99 65532 65532    1300       6     12 app'],
    ['times', 'since 2026-11-27T10:00:00Z', 'since 2026-11-20T09:01:02Z'],
    ['ids', 'container 0123456789abcdef0123', 'container fedcba98765432100000'],
    ['numbers of one magnitude', 'open files are at most 12 % of the limit', 'open files are at most 21 % of the limit'],
    ['times that are short anyhow', 'answered in 3 ms', 'answered in 90 ms'],
    ['small sizes', '12 KiB used', '800 KiB used'],
  ])('says nothing of %s', (_, target, twin) => {
    expect(differences([target], [twin])).toEqual([])
  })

  test.each([
    ['a server on the loopback', 'tcp 127.0.0.1:8080 by 1 (app)', 'tcp 0.0.0.0:8080 by 1 (app)'],
    ['another port of a server', 'tcp 0.0.0.0:8081 by 1 (app)', 'tcp 0.0.0.0:8080 by 1 (app)'],
    ['another limit', 'limit 1024 open files', 'limit 65536 open files'],
    ['shares far apart', '/data is at 97 % of its space', '/data is at 3 % of its space'],
    ['sizes of another magnitude', 'memory 900 MiB', 'memory 0.1 GiB'],
    ['waiting of another magnitude', 'answered in 2.5 s', 'answered in 12 ms'],
    ['other words', 'nameserver 10.96.0.10', 'search shop.svc'],
  ])('tells %s', (_, target, twin) => {
    expect(differences([target], [twin])).toEqual([{ check: 'x', target: [target], twin: [twin] }])
  })

  test('tells how many lines of one kind there are, where that is far apart', () => {
    const many = Array.from({ length: 40 }, (_, n) => `CLOSE_WAIT 10.0.0.1:${40_000 + n}`)
    expect(differences(many, ['CLOSE_WAIT 10.0.0.2:40001'])).toEqual([
      { check: 'x', target: ['CLOSE_WAIT 10.0.0.1:40000 (40 such lines)'], twin: ['CLOSE_WAIT 10.0.0.2:40001'] },
    ])
    expect(differences(many.slice(0, 3), many.slice(0, 2))).toEqual([])
  })

  test('of lists tells what one has alone, however they are broken into lines', () => {
    const names = Array.from({ length: 24 }, (_, n) => `NAME_${String.fromCharCode(65 + n)}`)
    const lines = (words: readonly string[], each: number) =>
      words.flatMap((_, at) => (at % each === 0 ? [words.slice(at, at + each).join(' ')] : []))
    expect(differences(lines(names, 8), lines(names.toReversed(), 9))).toEqual([])
    expect(differences(lines(['EXTRA', ...names], 8), lines(names, 8))).toEqual([{ check: 'x', target: ['EXTRA'], twin: [] }])
  })

  test('knows the names of the two pods, and leaves out checks that one of them did not run', () => {
    const names = { target: ['cart-a-1'], twin: ['cart-b-2'] }
    expect(differences(['host cart-a-1'], ['host cart-b-2'], names)).toEqual([])
    expect(compareFacts(new Map([['x', ['a']]]), new Map(), nobody)).toEqual([])
  })

  test('is bounded, whatever a pod prints', () => {
    const lines = Array.from({ length: 3000 }, (_, n) => `${String.fromCodePoint(0x4e00 + n)} ${'abcdefghij'.repeat(100)}`)
    const [only] = compareFacts(facts(`# check x\n${lines.map((line) => `# ${line}\n`).join('')}`), new Map([['x', []]]), nobody)
    expect(only?.target).toHaveLength(9)
    expect(only?.target.at(-1)).toBe('and 392 more')
    expect(only?.target[0]).toHaveLength(240)
  })
})

test('measure keeps words and letters apart from amounts', () => {
  expect(measure('sha256 of v2 at 12 %, 3 KiB', []).numbers).toEqual([
    { value: 12, unit: 'percent' },
    { value: 3072, unit: 'bytes' },
  ])
})

describe('findings', () => {
  const finding = (id: string, severity: Finding['severity'], title: string): Finding => ({ id, check: 'x', severity, title, source: 'container' })

  test('of the target alone come first; the others name the replica', () => {
    const shared = finding('dns/x', 'error', 'name x is not found')
    const own = finding('disk/full', 'warn', '/data is at 99 %')
    const worse = finding('limits/files', 'error', '1020 of 1024 files')
    const target = { findings: [shared, worse, own], names: ['cart-a'] }
    const twin = { findings: [shared, finding('limits/files', 'warn', '900 of 1024 files')], names: ['cart-b'] }
    expect(markShared(target, twin, 'cart-b')).toEqual([worse, own, { ...shared, alsoOn: 'cart-b' }])
  })

  test('are the same though numbers and names of pods differ, and not where the path does', () => {
    const target = { findings: [finding('a', 'error', 'cart-a-1 has 12 of 14'), finding('b', 'error', 'GET /one failed')], names: ['cart-a-1'] }
    const twin = { findings: [finding('a', 'error', 'cart-b-2 has 13 of 14'), finding('b', 'error', 'GET /two failed')], names: ['cart-b-2'] }
    expect(markShared(target, twin, 'r').map(({ alsoOn }) => alsoOn)).toEqual([undefined, 'r'])
    expect(onTwinAlone(target, twin)).toEqual([{ id: 'b', check: 'x', severity: 'error', title: 'GET /two failed' }])
  })
})

describe('compareSpecs', () => {
  const pod = (name: string, more: { metadata?: object; spec?: object; container?: object; digest?: string; node?: string } = {}): RawPod => ({
    metadata: { name, namespace: 'shop', uid: name, labels: { app: 'cart', 'pod-template-hash': 'a' }, ...more.metadata },
    spec: {
      nodeName: more.node ?? 'n1',
      volumes: [{ name: `kube-api-access-${name}`, projected: {} }],
      containers: [
        {
          name: 'app',
          image: 'cart:1',
          resources: { limits: { memory: '64Mi', cpu: '1' } },
          env: [{ name: 'A', value: '***HIDDEN***' }],
          ...more.container,
        },
      ],
      ...more.spec,
    },
    status: { containerStatuses: [{ name: 'app', imageID: `cart@sha256:${(more.digest ?? 'a').repeat(64)}`, restartCount: 0 }] },
  })

  test('says nothing of two pods of one revision', () => {
    const mine = { annotations: { 'cni.example.org/podIP': '10.0.0.1' } }
    expect(compareSpecs(pod('a', { metadata: { ...mine, labels: { app: 'cart', 'pod-template-hash': 'a' } } }), pod('b'))).toEqual([])
  })

  test('tells what differs, the most telling first, and of lists what each has alone', () => {
    const target = pod('a', {
      node: 'n2',
      digest: 'b',
      metadata: {
        labels: { app: 'cart', 'pod-template-hash': 'b' },
        annotations: { 'checksum/config': '1' },
        creationTimestamp: '2026-11-27T10:00:00Z',
      },
      container: {
        resources: { limits: { memory: '32Mi', cpu: '1' } },
        env: [{ name: 'A' }, { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
      },
    })
    const twin = pod('b', {
      metadata: {
        labels: { app: 'cart', 'pod-template-hash': 'a' },
        annotations: { 'checksum/config': '2' },
        creationTimestamp: '2026-11-20T10:00:00Z',
      },
    })
    expect(compareSpecs(target, twin)).toEqual([
      { what: 'revision (label pod-template-hash)', target: 'b', twin: 'a' },
      { what: 'image digest of container app', target: `sha256:${'b'.repeat(64)}`, twin: `sha256:${'a'.repeat(64)}` },
      { what: 'environment of container app', target: 'B from {"secretKeyRef":{"name":"s","key":"k"}}', twin: 'none' },
      { what: 'resources of container app', target: 'limits memory=32Mi', twin: 'limits memory=64Mi' },
      { what: 'annotation checksum/config', target: '1', twin: '2' },
      { what: 'node', target: 'n2', twin: 'n1' },
      { what: 'made at', target: '2026-11-27T10:00:00Z', twin: '2026-11-20T10:00:00Z' },
    ])
  })
})
