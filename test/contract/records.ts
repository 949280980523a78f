import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import type { DiagnosisChange, Records } from '../../src/ports/records/records.ts'
import { recordsIntakeContract } from './records-intake.ts'
import { recordsReportsContract } from './records-reports.ts'
import { recordsRunsContract } from './records-runs.ts'

export interface RecordsFixture {
  readonly records: Records
  /** Closes the records and opens what they kept, as a restart does. */
  reopen(): Promise<Records>
  /** Sets the clock that `updatedAt` is read from. */
  setTime(ms: number): void
  dispose(): Promise<void>
}

export function requestOf(n: number, more: Partial<DiagnosisRequest> = {}): DiagnosisRequest {
  return {
    id: `ad-${String(n).padStart(20, '0')}`,
    createdAt: new Date(1_700_000_000_000 + n).toISOString(),
    requester: 'ann',
    cluster: 'main',
    target: { kind: 'pod', namespace: 'fruit', name: `apples-${n}` },
    profile: 'auto',
    checks: [{ name: 'http', param: 'http://bananas:8080' }, { name: 'dns' }],
    ...more,
  }
}

const everything: Required<DiagnosisChange> = {
  state: 'done',
  outcome: 'incomplete',
  explanation: 'The log was cut',
  refusal: { code: 'headroom', message: 'Too little memory is free' },
  pod: { name: 'apples-x', uid: 'b9', node: 'n1', container: 'app' },
  containers: [{ name: 'ad-1', profile: 'restricted', image: 'localhost/autodiagnose:1', ids: { uid: 1000, gid: 0 }, exitCode: 0, gaps: ['a gap'] }],
  findings: [{ id: 'http/500', check: 'http', severity: 'error', title: '“Ünïcode” \u0000 and \' " are kept', source: 'container' }],
  redactions: { jwt: 2 },
  bundle: { key: 'diagnoses/x/bundle.tar.gz', bytes: 12, filename: 'x.tar.gz' },
  report: { tracker: 'github', key: 'a/b:c#1' },
  reported: { kind: 'written', noteId: '7', url: 'http://redmine.test/7', at: '2026-01-01T00:00:00.000Z' },
  finishedAt: '2026-01-01T00:00:00.000Z',
  comparison: { twin: { name: 'apples-y', uid: 'b8' }, containers: [], specs: [{ what: 'node', target: 'n1', twin: 'n2' }], facts: [], findings: [] },
}

/** What every implementation of Records must do. */
export function recordsContract(name: string, make: () => Promise<RecordsFixture>): void {
  describe(`Records: ${name}`, () => {
    let fixture: RecordsFixture
    let records: Records
    beforeEach(async () => {
      fixture = await make()
      records = fixture.records
    })
    afterEach(() => fixture.dispose())

    const accept = async (...requests: DiagnosisRequest[]) => {
      for (const request of requests) await records.accept(request)
    }
    const ids = async (...[filter, page]: Partial<Parameters<Records['list']>>) =>
      (await records.list(filter ?? {}, page ?? { limit: 100 })).map((diagnosis) => Number(diagnosis.id.slice(3)))

    describe('accept()', () => {
      test('keeps the request as it is', async () => {
        fixture.setTime(1_700_000_000_500)
        const request = requestOf(1, { container: 'app', reason: 'slow', report: { tracker: 'redmine', key: '12' } })
        const accepted = await records.accept(request)
        const diagnosis = {
          ...request,
          updatedAt: '2023-11-14T22:13:20.500Z',
          state: 'accepted',
          cancelRequested: false,
          containers: [],
          findings: [],
          redactions: {},
        }
        expect(accepted).toStrictEqual({ kind: 'accepted', diagnosis })
        expect(await records.get(request.id)).toStrictEqual(diagnosis)
      })

      test('repeats a request with the same key and fingerprint', async () => {
        await records.accept(requestOf(1), { key: 'ann k', fingerprint: 'f' })
        await records.update(requestOf(1).id, { state: 'gathering' })
        const again = await records.accept(requestOf(2), { key: 'ann k', fingerprint: 'f' })
        expect(again).toMatchObject({ kind: 'repeated', diagnosis: { id: requestOf(1).id, state: 'gathering' } })
        expect(await records.get(requestOf(2).id)).toBeUndefined()
      })

      test('refuses a taken key with another fingerprint', async () => {
        await records.accept(requestOf(1), { key: 'ann k', fingerprint: 'f' })
        expect(await records.accept(requestOf(2), { key: 'ann k', fingerprint: 'other' })).toStrictEqual({ kind: 'conflict' })
        expect(await records.accept(requestOf(3), { key: 'bob k', fingerprint: 'other' })).toMatchObject({ kind: 'accepted' })
      })

      test('makes one record of many requests with one key at once', async () => {
        const many = Array.from({ length: 20 }, (_, n) => records.accept(requestOf(n), { key: 'k', fingerprint: 'f' }))
        const results = await Promise.all(many)
        expect(results.filter((result) => result.kind === 'accepted')).toHaveLength(1)
        expect(results.filter((result) => result.kind === 'repeated')).toHaveLength(19)
        expect(new Set(results.map((result) => result.kind !== 'conflict' && result.diagnosis.id)).size).toBe(1)
        expect(await ids()).toHaveLength(1)
      })

      test.each([undefined, { key: 'k', fingerprint: 'f' }])('accepts the very same request again, with key %j', async (idempotency) => {
        await records.accept(requestOf(1), idempotency)
        await records.update(requestOf(1).id, { state: 'gathering' })
        const again = await records.accept(requestOf(1), idempotency)
        expect(again).toMatchObject({ kind: 'accepted', diagnosis: { id: requestOf(1).id, state: 'gathering' } })
        expect(await ids()).toEqual([1])
      })

      test('takes any number of requests without a key, but no id twice', async () => {
        await accept(requestOf(1), requestOf(2))
        await expect(records.accept(requestOf(1, { reason: 'other' }))).rejects.toThrow(`diagnosis "${requestOf(1).id}": another request has this id`)
        await expect(records.accept(requestOf(1, { requester: 'bob' }), { key: 'bob k', fingerprint: 'f' })).rejects.toThrow('another request')
        expect(await ids()).toEqual([2, 1])
        expect(await records.get(requestOf(1).id)).toMatchObject(requestOf(1))
      })
    })

    describe('update()', () => {
      test('sets everything that can change', async () => {
        await accept(requestOf(1), requestOf(2))
        fixture.setTime(1_700_000_009_000)
        const updated = await records.update(requestOf(1).id, everything)
        const updatedAt = '2023-11-14T22:13:29.000Z'
        expect(updated).toStrictEqual({ ...requestOf(1), ...everything, updatedAt, cancelRequested: false })
        expect(await records.get(requestOf(1).id)).toStrictEqual(updated)
        expect(await records.get(requestOf(2).id)).toMatchObject({ state: 'accepted', findings: [] })
      })

      test('leaves alone what is not given', async () => {
        await accept(requestOf(1))
        await records.update(requestOf(1).id, everything)
        expect(await records.update(requestOf(1).id, { explanation: 'Other' })).toMatchObject({ ...everything, explanation: 'Other' })
      })

      test('throws for an unknown id', async () => {
        await expect(records.update('ad-none', { state: 'done' })).rejects.toThrow('Cannot update diagnosis "ad-none"')
      })

      test('loses no field of changes at the same time', async () => {
        await accept(requestOf(1))
        const id = requestOf(1).id
        await Promise.all([records.update(id, { explanation: 'x' }), records.update(id, { redactions: { jwt: 1 } }), records.requestCancel(id)])
        expect(await records.get(id)).toMatchObject({ explanation: 'x', redactions: { jwt: 1 }, cancelRequested: true })
      })
    })

    describe('requestCancel()', () => {
      test('sets the flag, again and again', async () => {
        await accept(requestOf(1))
        expect(await records.requestCancel(requestOf(1).id)).toBe(true)
        expect(await records.requestCancel(requestOf(1).id)).toBe(true)
        expect(await records.get(requestOf(1).id)).toMatchObject({ cancelRequested: true })
      })

      test.each(['sealing', 'sharing', 'done'] as const)('is false for what is %s: its outcome is fixed', async (state) => {
        await accept(requestOf(1))
        await records.update(requestOf(1).id, { state, outcome: 'complete' })
        expect(await records.requestCancel(requestOf(1).id)).toBe(false)
        expect(await records.get(requestOf(1).id)).toMatchObject({ cancelRequested: false })
        expect(await records.requestCancel('ad-none')).toBe(false)
      })
    })

    recordsRunsContract(() => fixture)
    recordsReportsContract(() => fixture)
    recordsIntakeContract(() => fixture)

    describe('list()', () => {
      const inNamespace = (n: number, namespace: string, cluster = 'main') =>
        requestOf(n, { cluster, target: { kind: 'pod', namespace, name: `apples-${n}` } })

      test('goes page by page, newest first', async () => {
        await accept(requestOf(2), requestOf(1), requestOf(5), requestOf(3), requestOf(4))
        expect(await ids({}, { limit: 2 })).toEqual([5, 4])
        expect(await ids({}, { limit: 2, after: requestOf(4).id })).toEqual([3, 2])
        expect(await ids({}, { limit: 2, after: requestOf(2).id })).toEqual([1])
        expect(await ids({}, { limit: 2, after: requestOf(1).id })).toEqual([])
      })

      test('gives what matches all of the filter', async () => {
        await accept(
          requestOf(1, { requester: 'bob' }),
          inNamespace(2, 'trees', 'other'),
          requestOf(3, { report: { tracker: 'redmine', key: '12' } }),
          requestOf(4, { target: { kind: 'workload', namespace: 'fruit', workload: 'deployment', name: 'apples' } }),
        )
        await records.update(requestOf(1).id, { state: 'done', outcome: 'failed' })
        await records.update(requestOf(4).id, { pod: { name: 'apples-chosen', uid: 'u' } })
        expect(await ids({ requester: 'bob' })).toEqual([1])
        expect(await ids({ cluster: 'other' })).toEqual([2])
        expect(await ids({ namespace: 'fruit' })).toEqual([4, 3, 1])
        expect(await ids({ report: 'redmine:12' })).toEqual([3])
        expect(await ids({ pod: 'apples-3' })).toEqual([3])
        expect(await ids({ pod: 'apples-chosen' })).toEqual([4])
        expect(await ids({ outcome: 'failed' })).toEqual([1])
        expect(await ids({ state: 'accepted', namespace: 'fruit' })).toEqual([4, 3])
        expect(await ids({ state: 'done', cluster: 'other' })).toEqual([])
      })

      test.each([
        { namespaces: ['team-*'], seen: [3, 2, 1] },
        { namespaces: ['*-b'], seen: [2] },
        { namespaces: ['t*m-*a'], seen: [1] },
        { namespaces: ['*'], seen: [5, 4, 3, 2, 1] },
        { namespaces: ['fruit', 'team-a'], seen: [4, 1] },
        { namespaces: ['fruit*'], seen: [4] },
        { namespaces: ['f'], seen: [] },
        { namespaces: ['FRUIT'], seen: [] },
        { namespaces: ['FRUI*'], seen: [] },
        { namespaces: ['f%'], seen: [] },
        { namespaces: ['f_uit*'], seen: [] },
        { namespaces: ['*\\%'], seen: [] },
        { namespaces: ['team-*', "x' or 1=1 --"], seen: [3, 2, 1] },
        { namespaces: [], seen: [] },
      ])('shows $seen to whom $namespaces are visible', async ({ namespaces, seen }) => {
        await accept(...['team-a', 'team-b', 'team-', 'fruit', 'teams'].map((namespace, n) => inNamespace(n + 1, namespace)))
        expect(await ids({ visible: [{ clusters: ['*'], namespaces }] })).toEqual(seen)
        expect(await ids({ visible: [{ clusters: ['other'], namespaces }] })).toEqual([])
      })

      test('shows what any of the rules makes visible, with cluster and namespace of the same rule', async () => {
        await accept(inNamespace(1, 'fruit', 'a'), inNamespace(2, 'fruit', 'b'), inNamespace(3, 'trees', 'a'), inNamespace(4, 'trees', 'b'))
        const visible = [
          { clusters: ['a'], namespaces: ['fruit'] },
          { clusters: ['b*'], namespaces: ['trees'] },
        ]
        expect(await ids({ visible })).toEqual([4, 1])
        expect(await ids({ visible, namespace: 'fruit' })).toEqual([1])
        expect(await ids({ visible }, { limit: 1 })).toEqual([4])
        expect(await ids({ visible: [] })).toEqual([])
      })
    })

    describe('values', () => {
      test('are kept, replaced and removed', async () => {
        expect(await records.getValue('k')).toBeUndefined()
        await records.setValue('k', { a: [1, null, 'x'] })
        expect(await records.getValue('k')).toStrictEqual({ a: [1, null, 'x'] })
        await records.setValue('k', false)
        expect(await records.getValue('k')).toBe(false)
        await records.setValue('k', undefined)
        await records.setValue('k', undefined)
        expect(await records.getValue('k')).toBeUndefined()
      })

      test('lose no change made at the same time', async () => {
        const adds = Array.from({ length: 30 }, () => records.changeValue<number>('n', (before = 0) => before + 1))
        const seen = await Promise.all(adds)
        expect(await records.getValue('n')).toBe(30)
        expect(seen.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, n) => n + 1))
      })

      test('stay as they were when the change throws or is no JSON', async () => {
        await records.setValue('k', 1)
        const thrower = () => {
          throw new RangeError('no')
        }
        await expect(records.changeValue('k', thrower)).rejects.toThrow(new RangeError('no'))
        await expect(records.changeValue('k', () => thrower)).rejects.toThrow('Cannot keep value "k": expected JSON, got function')
        expect(await records.getValue('k')).toBe(1)
      })

      test('are removed by a change to undefined, and are nothing to remove where there are none', async () => {
        await records.setValue('k', 1)
        const remove = () => records.changeValue<number, number | undefined>('k', () => undefined)
        expect(await remove()).toBeUndefined()
        expect(await records.getValue('k')).toBeUndefined()
        expect(await remove()).toBeUndefined()
        expect(await records.changeValue<number>('k', (before = 4) => before + 1)).toBe(5)
      })
    })

    test('check() passes, and fails once closed', async () => {
      await records.check()
      await records.close()
      await expect(records.check()).rejects.toThrow()
    })

    test('keep everything over a restart', async () => {
      await records.accept(requestOf(1), { key: 'k', fingerprint: 'f' })
      await records.update(requestOf(1).id, everything)
      await records.setValue('v', { paused: true })
      const before = await records.get(requestOf(1).id)
      const reopened = await fixture.reopen()
      expect(await reopened.get(requestOf(1).id)).toStrictEqual(before)
      expect(await reopened.getValue('v')).toStrictEqual({ paused: true })
      expect(await reopened.accept(requestOf(2), { key: 'k', fingerprint: 'f' })).toMatchObject({ kind: 'repeated' })
    })
  })
}
