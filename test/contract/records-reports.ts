import { describe, expect, test } from 'vitest'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import { type RecordsFixture, requestOf } from './records.ts'

const fromAlert: Partial<DiagnosisRequest> = {
  route: { tracker: 'github', project: 'a/b', labels: ['incident'], type: 'Bug' },
  alert: {
    trouble: 'tr-1',
    source: 'prometheus',
    name: 'PodCrashLooping',
    startsAt: '2023-11-14T22:12:20.000Z',
    labels: { pod: 'apples-1' },
    annotations: { summary: '“It” restarts' },
    links: [{ label: 'Runbook', url: 'https://runbooks.test/crash' }],
  },
}

/** A diagnosis of an alert, whose report may be opened after it was accepted. */
export function recordsReportsContract(fixture: () => Pick<RecordsFixture, 'records'>): void {
  const { id } = requestOf(1)
  const ids = async (report: string) => (await fixture().records.list({ report }, { limit: 9 })).map((diagnosis) => diagnosis.id)

  describe('the report of a diagnosis', () => {
    test('is none at first, where only its route is known', async () => {
      await fixture().records.accept(requestOf(1, fromAlert))
      const diagnosis = await fixture().records.get(id)
      expect(diagnosis).toMatchObject(fromAlert)
      expect(diagnosis).not.toHaveProperty('report')
    })

    test.each([
      { tracker: 'github', key: 'a/b#7' },
      { tracker: 'webhook', key: 'a:b:c' },
      { tracker: 'webhook', key: 'x' },
    ])('opened later is shown and found: %j', async (report) => {
      await fixture().records.accept(requestOf(1, fromAlert))
      expect(await fixture().records.update(id, { report })).toMatchObject({ ...fromAlert, report })
      expect(await fixture().records.get(id)).toMatchObject({ ...fromAlert, report })
      expect(await ids(`${report.tracker}:${report.key}`)).toEqual([id])
    })

    test('opened anew takes the place of the one that was asked for', async () => {
      await fixture().records.accept(requestOf(1, { report: { tracker: 'redmine', key: '12' } }))
      await fixture().records.update(id, { report: { tracker: 'redmine', key: '13' } })
      expect(await fixture().records.get(id)).toMatchObject({ report: { tracker: 'redmine', key: '13' } })
      expect(await ids('redmine:12')).toEqual([])
      expect(await ids('redmine:13')).toEqual([id])
    })

    test('does not make the request another one', async () => {
      await fixture().records.accept(requestOf(1, fromAlert))
      await fixture().records.update(id, { report: { tracker: 'github', key: 'a/b#7' } })
      expect(await fixture().records.accept(requestOf(1, fromAlert))).toMatchObject({ kind: 'accepted', diagnosis: { report: { key: 'a/b#7' } } })
      await expect(fixture().records.accept(requestOf(1))).rejects.toThrow('another request has this id')
    })
  })
}
