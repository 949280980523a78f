import { describe, expect, test } from 'vitest'
import { type ConcludeInput, concludeFrom } from '../../src/conclusion.ts'
import type { ContainerRecord, Finding } from '../../src/diagnosis/diagnosis.ts'
import type { Gathered } from '../../src/diagnosis/gathered.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import type { Examined } from '../../src/examine.ts'

const finding = (id: string, change: Partial<Finding> = {}): Finding => ({
  id,
  check: id.split('/')[0] ?? '',
  severity: 'error',
  title: `about ${id}`,
  source: 'container',
  ...change,
})
const record = (n: number, change: Partial<ContainerRecord> = {}): ContainerRecord => ({
  name: `ad-0123456789abcdefghjk-${n}`,
  profile: 'restricted',
  image: 'registry.example/autodiagnose:1',
  imageId: `registry.example/autodiagnose@sha256:${'0123456789abcdef'.repeat(4)}`,
  ids: { uid: 1000, gid: 3000 },
  startedAt: '2026-01-02T03:04:05Z',
  finishedAt: '2026-01-02T03:04:09Z',
  exitCode: 0,
  lines: 10,
  bytes: 200,
  proven: true,
  gaps: [],
  ...change,
})
const examined = (change: Partial<Examined> = {}): Examined => ({
  container: record(1),
  end: 'proven',
  checks: [],
  findings: [],
  retryWithIds: false,
  ...change,
})
const nothing: Examined = { checks: [], findings: [], retryWithIds: false }
const gathered: Gathered = {
  at: 0,
  podRef: { namespace: 'shop', name: 'cart' },
  uid: 'f0f0f0f0-0000-4000-8000-000000000001',
  targetRunning: true,
  sharedProcesses: false,
  headroom: { kind: 'unlimited' },
  ephemeralCount: 0,
  restarts: { count: 0 },
  hints: [],
  findings: [],
}
const conclude = (change: Partial<ConcludeInput> = {}) =>
  concludeFrom({
    outcome: { kind: 'gathered', gathered, redactions: {} },
    examined: [examined()],
    harm: [],
    now: Date.parse('2026-01-02T03:05:00Z'),
    redactor: makeRedactor(),
    ...change,
  })

const silent = { container: record(1, { proven: false }) }
describe('the outcome is', () => {
  test.each([
    ['complete', undefined, [examined()]],
    ['complete', undefined, [examined(), examined({ container: record(2) })]],
    ['incomplete', 'lines are gone', [examined({ container: record(1, { gaps: ['lines are gone', 'more is gone'] }), end: 'terminated' })]],
    ['incomplete', 'lines are gone', [examined(), examined({ container: record(2, { gaps: ['lines are gone'] }) })]],
    ['incomplete', 'the container ended without its end line', [examined({ ...silent, end: 'terminated' })]],
    ['incomplete', 'the pod or its log went away', [examined({ ...silent, end: 'gone' })]],
    ['incomplete', 'the log was cut at its byte cap', [examined({ ...silent, end: 'cut' })]],
    ['incomplete', 'the container did not end in time', [examined({ ...silent, end: 'late' })]],
    [
      'incomplete',
      /could not be seen.*the budget is used up/,
      [examined(), { ...nothing, refusal: { code: 'budget', message: 'the budget is used up' } }],
    ],
    [
      'incomplete',
      /could not be seen.*did not start in time, ErrImagePull/,
      [examined(), { ...nothing, failure: 'the container did not start in time, ErrImagePull' }],
    ],
    ['refused', 'it is paused', [{ ...nothing, refusal: { code: 'paused', message: 'it is paused' } }]],
    [
      'failed',
      'the container did not start in time, ErrImagePull: no such image',
      [examined({ container: record(1, { proven: false }), failure: 'the container did not start in time, ErrImagePull: no such image' })],
    ],
    ['cancelled', 'cancelled before a container was added', [{ ...nothing, end: 'cancelled' }]],
    ['cancelled', 'cancelled; the container had ended, and no other was added', [examined(), { ...nothing, end: 'cancelled' }]],
  ] as const)('%s, %s', (outcome, explanation, all) => {
    const conclusion = conclude({ examined: all as readonly Examined[] })
    expect(conclusion.outcome).toBe(outcome)
    if (explanation instanceof RegExp) expect(conclusion.explanation).toMatch(explanation)
    else expect(conclusion.explanation).toBe(explanation)
    expect(conclusion.refusal !== undefined).toBe(outcome === 'refused')
  })

  test('cancelled, and says so of a container that still runs', () => {
    const { exitCode: _, finishedAt: __, ...running } = record(1, { proven: false })
    expect(conclude({ examined: [examined({ container: running, end: 'cancelled' })] })).toMatchObject({
      outcome: 'cancelled',
      explanation: 'cancelled; the container runs until its own deadline',
      containers: [running],
    })
  })

  test('failed where nothing could be gathered', () => {
    const conclusion = conclude({
      outcome: { kind: 'failed', message: 'Cannot gather the evidence: made up' },
      examined: [{ ...nothing, failure: 'x' }],
    })
    expect(conclusion).toMatchObject({ outcome: 'failed', explanation: 'Cannot gather the evidence: made up', findings: [], containers: [] })
    expect(conclusion).not.toHaveProperty('pod')
  })
})

describe('the findings', () => {
  test('are in the order of what they tell, each once', () => {
    const { findings } = conclude({
      outcome: {
        kind: 'gathered',
        gathered: {
          ...gathered,
          findings: [finding('exit-history/app', { source: 'evidence' }), finding('annotations/x', { severity: 'info', source: 'evidence' })],
        },
        redactions: {},
      },
      examined: [examined({ findings: [finding('disk/full', { severity: 'warn' }), finding('http/stock'), finding('http/stock')] })],
      harm: [finding('harm/oom-killed', { source: 'evidence' })],
    })
    expect(findings.map(({ id }) => id)).toEqual(['http/stock', 'harm/oom-killed', 'exit-history/app', 'disk/full', 'annotations/x'])
  })

  test('of a second container replace those of the first, which was blind, in the checks that ran again', () => {
    const first = examined({ checks: ['processes', 'http'], findings: [finding('processes/invisible'), finding('http/stock')] })
    const second = examined({ container: record(2), checks: ['processes'], findings: [finding('processes/zombies')] })
    expect(conclude({ examined: [first, second] }).findings.map(({ id }) => id)).toEqual(['processes/zombies', 'http/stock'])
    const refused = { ...nothing, refusal: { code: 'budget', message: 'no' } } as const
    expect(conclude({ examined: [first, refused] }).findings.map(({ id }) => id)).toEqual(['processes/invisible', 'http/stock'])
  })
})

describe('redaction', () => {
  const secret = 'password=made-up-hunter2'

  test('reaches every text', () => {
    const all: readonly Partial<ConcludeInput>[] = [
      { examined: [{ ...nothing, refusal: { code: 'admission', message: `denied: ${secret}` } }] },
      { examined: [{ ...nothing, failure: secret }] },
      {
        examined: [
          examined({
            container: record(1, { gaps: [`Cannot listen: ${secret}`] }),
            findings: [finding('http/x', { title: secret, evidence: secret, cause: secret, next: secret })],
          }),
        ],
      },
      { outcome: { kind: 'failed', message: secret }, examined: [] },
      { harm: [finding('harm/x', { title: secret })] },
    ]
    for (const input of all) {
      const conclusion = conclude(input)
      expect(JSON.stringify(conclusion)).not.toContain('hunter2')
      expect(conclusion.redactions['password-pair']).toBeGreaterThan(0)
    }
  })

  test('leaves a container as it is, and counts what gathering and listening removed', () => {
    const conclusion = conclude({
      outcome: { kind: 'gathered', gathered, redactions: { jwt: 1, 'env-literal': 4 } },
      examined: [examined({ redactions: { jwt: 2 } }), examined({ container: record(2), redactions: { 'password-pair': 1 } })],
    })
    expect(conclusion.containers).toEqual([record(1), record(2)])
    expect(conclusion.redactions).toEqual({ jwt: 3, 'env-literal': 4, 'password-pair': 1 })
  })
})
