import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { type CompiledQuery, Kysely, SqliteDialect } from 'kysely'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrationFiles } from '../../scripts/migrations.ts'
import type { AlertFilter } from '../../src/ports/records/intake.ts'
import type { Records } from '../../src/ports/records/records.ts'
import type { Schema } from '../../src/ports/records/schema.ts'
import { sqlRecords } from '../../src/ports/records/sql.ts'
import { kyselyDatabase } from '../../src/ports/records/sqlite.ts'
import { alertOf, at, seedOf, settlementOf } from './records-values.ts'

/** How SQLite, which D1 is too, finds the rows: D1 bills each that it looks at. */
describe('how alerts are found', () => {
  const database = new DatabaseSync(':memory:')
  let queries: CompiledQuery[] = []
  let records: Records
  beforeAll(async () => {
    for (const sql of (await migrationFiles()).values()) database.exec(sql)
    const dialect = new SqliteDialect({ database: kyselyDatabase(database) })
    records = sqlRecords(new Kysely<Schema>({ dialect, log: ({ query }) => void queries.push(query) }), { now: () => 0 })
  })
  afterAll(() => database.close())

  /** What is done with tables, a line each, such as `SEARCH alerts USING INDEX alerts_due (state=? AND due_at<?)`. */
  async function planOf(ask: () => Promise<unknown>): Promise<string[]> {
    queries = []
    await ask()
    const details = queries.flatMap(({ sql, parameters }) =>
      database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...(parameters as readonly SQLInputValue[])),
    )
    return details.map(({ detail }) => String(detail)).filter((detail) => /^(SEARCH|SCAN) (alerts|troubles|tellings)|ORDER BY/.test(detail))
  }

  const key = 'SEARCH alerts USING INDEX sqlite_autoindex_alerts_2 (key=?)'
  const same = 'SEARCH alerts USING INDEX alerts_by_fingerprint (fingerprint=? AND source=? AND resolved_at=?)'
  const id = (table: string) => `SEARCH ${table} USING INDEX sqlite_autoindex_${table}_1 (id=?)`
  const grouping = 'USE TEMP B-TREE FOR ORDER BY'

  test.each<[string, () => Promise<unknown>, string[]]>([
    ['receiveAlerts', () => records.receiveAlerts([alertOf(1)]), [same, key, same]],
    ['dueAlerts', () => records.dueAlerts(at(0), 9), ['SEARCH alerts USING INDEX alerts_due (state=? AND due_at<?)']],
    ['getAlert', () => records.getAlert('x'), [id('alerts')]],
    ['settleAlert', () => records.settleAlert('x', settlementOf(1)), [id('alerts')]],
    ['settleAlerts', () => records.settleAlerts([{ id: 'x', ...settlementOf(1) }]), [id('alerts')]],
    ['resolvedAmong', () => records.resolvedAmong(['x']), [id('alerts')]],
    ['delayAlert', () => records.delayAlert('x', at(0), 'x'), [id('alerts')]],
    ['openTrouble', () => records.openTrouble(seedOf(1)), [id('troubles')]],
    [
      'resolveTrouble',
      () => records.resolveTrouble('tr-1', at(0)),
      [id('troubles'), 'SEARCH alerts USING INDEX alerts_firing (resolved_at=? AND trouble=?)', id('alerts')],
    ],
    [
      'suppressedFor',
      () => records.suppressedFor('tr-1'),
      [
        'SEARCH alerts USING INDEX alerts_suppressed (outcome=? AND diagnosis=?)',
        'SEARCH alerts USING INDEX alerts_diagnosed (outcome=? AND trouble=?)',
        grouping,
        grouping,
      ],
    ],
    [
      'suppressedBy',
      () => records.suppressedBy('storm', 'main', at(0)),
      ['SEARCH alerts USING INDEX alerts_suppressed_since (outcome=? AND suppression=? AND received_at>?)', grouping, grouping],
    ],
    ['dueTellings', () => records.dueTellings(at(0), 9), ['SEARCH tellings USING INDEX tellings_due (due_at<?)']],
    ['endTelling', () => records.endTelling('x', 1, { state: 'told' }), [id('tellings')]],
  ])('%s()', async (_, ask, plan) => {
    expect(await planOf(ask)).toEqual(plan)
  })

  // In the order of the list: no sorting, and no more is read than a page where one of them is all that is asked for.
  test.each<[AlertFilter, string]>([
    [{ source: 'x' }, 'alerts_by_source (source=?'],
    [{ source: 'x', outcome: 'failed', cluster: 'x' }, 'alerts_by_outcome (outcome=?'],
    [{ outcome: 'suppressed', namespace: 'x' }, 'alerts_by_namespace (namespace=?'],
    [{ outcome: 'suppressed', namespace: 'x', name: 'x' }, 'alerts_by_name (name=?'],
    [{ outcome: 'suppressed', suppression: 'storm', name: 'x' }, 'alerts_by_suppression (suppression=?'],
    [{ suppression: 'storm', name: 'x', source: 'x', trouble: 'x' }, 'alerts_by_trouble (trouble=?'],
    [{ outcome: 'diagnosed', trouble: 'x' }, 'alerts_diagnosed (outcome=? AND trouble=?'],
    [{ outcome: 'suppressed', trouble: 'x', visible: [{ clusters: ['*'], namespaces: ['a*', 'b'] }] }, 'alerts_by_trouble (trouble=?'],
  ])('listAlerts() of %j', async (filter, index) => {
    expect(await planOf(() => records.listAlerts(filter, { limit: 9 }))).toEqual([`SEARCH alerts USING INDEX ${index})`])
    expect(await planOf(() => records.listAlerts(filter, { limit: 9, after: 'x' }))).toEqual([`SEARCH alerts USING INDEX ${index} AND id<?)`])
  })
})
