import { describe, expect, test } from 'vitest'
import type { Diagnosis } from '../../../src/diagnosis/diagnosis.ts'
import { composeNote } from '../../../src/diagnosis/share/compose-note.ts'
import { container, exampleDiagnosis, urls } from './example.ts'

const compose = (change: Partial<Diagnosis> = {}) => composeNote(exampleDiagnosis(change), { urls })
const fact = (label: string, change: Partial<Diagnosis> = {}) => compose(change).facts.find(([name]) => name === label)?.[1]

describe('composeNote', () => {
  test('begins with the worst finding, which is the headline', () => {
    const note = compose()
    expect(note.headline).toBe('GET http://bananas:8080 answers 500 Internal Server Error')
    expect(note.findings.map(({ id }) => id)).toEqual(['http/500', 'dns/slow'])
    expect(note.marker).toBe('ad-01hzy3v8kq5m7n9p2r4t')
  })

  test('tells where everything comes from', () => {
    expect(compose().facts).toEqual([
      ['Outcome', 'complete'],
      ['Target', 'pod fruit/apples-57bcf49487-ddmpn, container app, cluster lab'],
      ['Pod UID', '0c3e8a51-6a3a-4a8b-9f0e-0d5a7f1e2b3c'],
      ['Node', 'lab'],
      ['Requested', 'by ops, 2026-11-23 12:00:00 UTC'],
      ['Reason', 'apples shows errors'],
      ['Duration', '6.2 s'],
      ['Container', 'ad-01hzy3v8kq5m7n9p2r4t-1, profile restricted, user 65532, group 65532'],
      ['Image', 'registry.example/autodiagnose:1'],
      ['Image digest', 'sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03'],
      ['Run', 'exit code 0 after 3.5 s, 240 lines read, proven complete'],
      ['Missing or cut', 'nothing'],
      ['Secrets removed', '3 (bearer 2, private-key 1)'],
      ['Diagnosis', 'ad-01hzy3v8kq5m7n9p2r4t'],
    ])
  })

  test('says the same whenever it is composed', () => {
    expect(compose({ state: 'done', updatedAt: '2027-01-01T00:00:00.000Z', reported: { kind: 'delayed', message: 'x', at: 'y' } })).toEqual(compose())
  })

  test.each<[string, Partial<Diagnosis>, string]>([
    ['complete', {}, 'Nothing found that is wrong with pod fruit/apples-57bcf49487-ddmpn'],
    [
      'complete, but for what could not be looked at',
      {
        containers: [
          {
            name: 'ad-1',
            image: 'x',
            skipped: [
              { check: 'disk', why: 'closed' },
              { check: 'cgroup', why: 'closed' },
            ],
          },
        ],
      },
      'Nothing found that is wrong with pod fruit/apples-57bcf49487-ddmpn; 2 checks could not look at everything',
    ],
    [
      'complete before a pod was chosen',
      { pod: undefined as never, target: { kind: 'selector', namespace: 'fruit', selector: 'app=apples' } },
      'Nothing found that is wrong with pods of fruit with app=apples',
    ],
    [
      'incomplete',
      { outcome: 'incomplete', explanation: 'The log ended before its end line' },
      'Nothing found, but not everything could be read: The log ended before its end line',
    ],
    [
      'refused',
      { outcome: 'refused', refusal: { code: 'headroom', message: 'The pod has 3 MiB left, 16 MiB are needed' }, containers: [] },
      'Not diagnosed from inside the pod: The pod has 3 MiB left, 16 MiB are needed',
    ],
    ['failed', { outcome: 'failed', explanation: 'Cannot follow log' }, 'The diagnosis failed: Cannot follow log'],
    ['cancelled', { outcome: 'cancelled' }, 'Cancelled before anything was found'],
    [
      'cancelled late',
      { outcome: 'cancelled', explanation: 'cancelled; the container runs until its own deadline' },
      'Cancelled; the container runs until its own deadline',
    ],
  ])('has a headline without findings: %s', (_, change, headline) => {
    expect(compose({ findings: [], ...change }).headline).toBe(headline)
  })

  test('names the checks that could not look by their reason', () => {
    const skipped = ['disk', 'cgroup', 'disk'].map((check) => ({ check, why: 'closed' }))
    const { facts } = compose({ containers: [{ name: 'ad-1', image: 'x', skipped: [...skipped, { check: 'http', why: 'no name' }] }] })
    expect(facts).toContainEqual(['Not looked at', 'disk, cgroup (closed); http (no name)'])
  })

  test('does not take a remark for the trouble', () => {
    const findings = [{ id: 'limits/none', check: 'limits', severity: 'info', title: 'The container has no limits', source: 'evidence' }] as const
    expect(compose({ findings }).headline).toBe('Nothing found that is wrong with pod fruit/apples-57bcf49487-ddmpn')
    expect(compose({ findings }).findings).toEqual(findings)
  })

  test('knows the digest of an image that is pinned by it', () => {
    const digest = `sha256:${'0'.repeat(64)}`
    const { imageId: _, ...unknown } = container
    const pinned = { containers: [{ ...unknown, image: `registry.example/autodiagnose@${digest}` }] }
    expect(fact('Image', pinned)).toBe('registry.example/autodiagnose')
    expect(fact('Image digest', pinned)).toBe(digest)
    expect(fact('Image digest', { containers: [unknown] })).toBeUndefined()
  })

  test('says why in the outcome', () => {
    expect(fact('Outcome', { outcome: 'refused', refusal: { code: 'static-pod', message: 'Static pods take no ephemeral container' } })).toBe(
      'refused (static-pod: Static pods take no ephemeral container)',
    )
  })

  test('says what is missing, by container', () => {
    const gaps = ['Lines 10 to 20 were rotated away', 'Cut at 8388608 bytes']
    expect(fact('Missing or cut', { containers: [{ ...container, gaps, proven: false }] })).toBe(
      'ad-01hzy3v8kq5m7n9p2r4t-1: Lines 10 to 20 were rotated away; ad-01hzy3v8kq5m7n9p2r4t-1: Cut at 8388608 bytes',
    )
    expect(fact('Run', { containers: [{ ...container, proven: false }] })).toContain('not proven complete')
    const { startedAt: _, ...unseen } = container
    expect(fact('Run', { containers: [{ ...unseen, lines: 3 }] })).toContain('start and end not known')
    expect(fact('Run', { containers: [{ ...unseen, lines: 0 }] })).toContain('never started')
  })

  test('claims nothing of a container that never ran', () => {
    const { startedAt: _, finishedAt: __, exitCode: ___, lines: ____, ...planned } = container
    const note = compose({ containers: [planned], bundle: undefined as never })
    expect(note.facts.find(([label]) => label === 'Run')?.[1]).toBe('never started')
    expect(note.facts.find(([label]) => label === 'Missing or cut')).toBeUndefined()
    expect(note.links).toEqual([{ label: 'Diagnosis', url: urls.page }])
  })

  test('links the page, the bundle with its size and the log', () => {
    expect(compose().links).toEqual([
      { label: 'Diagnosis', url: urls.page },
      { label: 'Bundle (48 KiB)', url: urls.bundle },
      { label: 'Log', url: urls.log },
    ])
  })
})
