import { applyD1Migrations } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { beforeEach, describe, expect, test } from 'vitest'
import type { DiagnosisRequest } from '../../src/diagnosis/diagnosis.ts'
import { d1Records } from '../../src/ports/records/d1.ts'
import { migrations } from '../../src/ports/records/migrations.ts'
import { type Records, RecordsUnavailable } from '../../src/ports/records/records.ts'
import { recordsContract, requestOf } from '../contract/records.ts'
import { recordsIntakeContract } from '../contract/records-intake.ts'
import { alertOf } from '../contract/records-values.ts'
import { emptyDatabase, migrationFiles, tables } from './database.ts'

const now = () => 1_700_000_000_000
const noSleep = { now, sleep: async () => {} }

recordsContract('d1', async () => {
  const database = await emptyDatabase()
  let time = now()
  const open = () => d1Records({ database, clock: { ...noSleep, now: () => time } })
  return {
    records: open(),
    setTime: (ms) => {
      time = ms
    },
    reopen: async () => open(),
    dispose: async () => {},
  }
})

const open = (database: Pick<D1Database, 'prepare'> = env.DB) => d1Records({ database, clock: noSleep })

// https://developers.cloudflare.com/d1/platform/limits/
describe('the limits of D1', () => {
  beforeEach(emptyDatabase)

  test('list() takes 90 patterns of 50 bytes with all that can be asked for, and any number of "*"', async () => {
    const namespace = 'a'.repeat(60)
    const request = requestOf(1, { target: { kind: 'pod', namespace, name: 'x' }, report: { tracker: 'r', key: '1' } })
    await open().accept(request)
    await open().update(request.id, { outcome: 'complete' })
    const filter = { state: 'accepted', outcome: 'complete', cluster: 'main', namespace, pod: 'x', requester: 'ann', report: 'r:1' } as const
    const patterns = Array.from({ length: 90 }, (_, n) => `${'a'.repeat(46)}${String(n).padStart(3, '0')}*`)
    expect(patterns[0]).toHaveLength(50)
    const rules = patterns.map((pattern) => ({ clusters: ['*', '**'], namespaces: [pattern] }))
    const seen = (visible: typeof rules) => open().list({ ...filter, visible }, { limit: 2, after: 'ad-zzz' })
    expect(await seen(rules)).toEqual([])
    expect(await seen([...rules, { clusters: ['*'], namespaces: ['*'] }])).toHaveLength(1)
    expect(await seen([...rules.slice(1), { clusters: ['*'], namespaces: [`${'a'.repeat(49)}*`] }])).toHaveLength(1)
  })

  test('listAlerts() takes 90 patterns of 50 bytes with all that can be asked for', async () => {
    const namespace = 'a'.repeat(60)
    const all = { outcome: 'suppressed', suppression: 'storm', cluster: 'main', namespace, trouble: 'tr-1' } as const
    await open().receiveAlerts([alertOf(1)])
    await open().settleAlert(alertOf(1).id, all)
    const filter = { ...all, source: alertOf(1).source, name: alertOf(1).name }
    const rules = Array.from({ length: 90 }, (_, n) => ({ clusters: ['*'], namespaces: [`${'b'.repeat(46)}${String(n).padStart(3, '0')}*`] }))
    const seen = (visible: typeof rules) => open().listAlerts({ ...filter, visible }, { limit: 2, after: 'al-zzz' })
    expect(await seen(rules)).toEqual([])
    expect(await seen([...rules.slice(1), { clusters: ['*'], namespaces: [`${'a'.repeat(49)}*`] }])).toHaveLength(1)
  })

  test('receiveAlerts() sends no text of more than 2,000,000 bytes, and few statements', async () => {
    const bytes: number[] = []
    const prepare = (sql: string) => ({
      bind: (...values: string[]) => {
        bytes.push(...values.map((value) => new TextEncoder().encode(value).length))
        return env.DB.prepare(sql).bind(...values)
      },
    })
    const annotations = { description: '"Ü" '.repeat(400) }
    const alerts = Array.from({ length: 600 }, (_, n) => alertOf(n, { annotations }))
    expect(JSON.stringify(alerts).length).toBeGreaterThan(1_000_000)
    expect((await open({ prepare } as unknown as D1Database).receiveAlerts(alerts)).fresh).toHaveLength(600)
    expect(Math.max(...bytes)).toBeLessThan(2_000_000)
    expect(bytes.length).toBeLessThan(8)
  })
})

describe('d1Records()', () => {
  beforeEach(emptyDatabase)
  const command = 'run: npx wrangler d1 migrations apply autodiagnose --remote'

  test('asks for the migrations where there are none', async () => {
    await env.DB.batch([...tables, 'd1_migrations'].map((table) => env.DB.prepare(`DROP TABLE ${table}`)))
    const records = open()
    await expect(records.check()).rejects.toThrow(command)
    await expect(records.accept(requestOf(1))).rejects.toThrow(`no such table: diagnoses: SQLITE_ERROR); ${command}`)
    await expect(records.getValue('k')).rejects.toThrow(command)
    await emptyDatabase()
    await records.check()
  })

  test('check() asks for a migration that was not applied', async () => {
    await env.DB.exec("UPDATE d1_migrations SET name = '0000_x.sql' WHERE name = '0001_diagnoses.sql'")
    try {
      await expect(open().check()).rejects.toThrow('a newer version made its schema ("0000_x" is not known here)')
      await env.DB.exec('DELETE FROM d1_migrations')
      await expect(open().check()).rejects.toThrow(`"0001_diagnoses", "0002_alerts", "0003_comparison" was not applied); ${command}`)
    } finally {
      await env.DB.exec(
        "DELETE FROM d1_migrations; INSERT INTO d1_migrations (name) VALUES ('0001_diagnoses.sql'), ('0002_alerts.sql'), ('0003_comparison.sql')",
      )
    }
    await open().check()
  })

  test('reads the diagnoses of version 0001 once it is up to date', async () => {
    await env.DB.batch([...tables, 'd1_migrations'].map((table) => env.DB.prepare(`DROP TABLE ${table}`)))
    await applyD1Migrations(env.DB, migrationFiles.slice(0, 1))
    const request = requestOf(1, { report: { tracker: 'redmine', key: '12' } })
    await open().accept(request)
    await expect(open().receiveAlerts([alertOf(1)])).rejects.toThrow(`no such table: alerts: SQLITE_ERROR); ${command}`)
    await expect(open().check()).rejects.toThrow(`"0002_alerts", "0003_comparison" was not applied); ${command}`)
    await applyD1Migrations(env.DB, migrationFiles)
    await open().check()
    expect(await open().get(request.id)).toMatchObject(request)
    expect(await open().receiveAlerts([alertOf(1)])).toMatchObject({ fresh: [alertOf(1).id] })
  })

  test('has a file for every migration', () => {
    expect(migrationFiles.map(({ name }) => name)).toEqual(Object.keys(migrations).map((name) => `${name}.sql`))
  })
})

/** Does what it is asked, and loses the first `count` answers to each statement. */
function losing(count: number, message = 'D1_ERROR: Network connection lost.') {
  const sent = new Map<string, number>()
  const prepare = (sql: string) => ({
    bind: (...values: unknown[]) => ({
      async all() {
        const answer = await env.DB.prepare(sql)
          .bind(...values)
          .all()
        const times = (sent.get(sql) ?? 0) + 1
        sent.set(sql, times)
        if (times <= count) throw new Error(message)
        return answer
      },
    }),
  })
  return { database: { prepare } as unknown as D1Database, most: () => Math.max(...sent.values()) }
}

describe('Records: d1, every statement sent twice', () => {
  let records: Records
  let time: number
  beforeEach(async () => {
    await emptyDatabase()
    time = now()
    const prepare = (sql: string) => ({
      bind: (...values: unknown[]) => ({
        async all() {
          const send = () => env.DB.prepare(sql).bind(...values)
          await send().all()
          return send().all()
        },
      }),
    })
    records = d1Records({ database: { prepare } as unknown as D1Database, clock: { ...noSleep, now: () => time } })
  })

  recordsIntakeContract(() => ({
    records,
    setTime: (ms) => {
      time = ms
    },
  }))
})

describe('an answer of D1 that is lost', () => {
  beforeEach(emptyDatabase)

  test('is asked for again: an accepted request is accepted, with a key and without', async () => {
    for (const idempotency of [undefined, { key: 'k', fingerprint: 'f' }]) {
      const request: DiagnosisRequest = requestOf(idempotency ? 2 : 1)
      expect(await open(losing(2).database).accept(request, idempotency)).toMatchObject({ kind: 'accepted', diagnosis: request })
    }
    expect(await open(losing(2).database).accept(requestOf(3), { key: 'k', fingerprint: 'f' })).toMatchObject({ kind: 'repeated' })
    expect(await open(losing(2).database).accept(requestOf(3), { key: 'k', fingerprint: 'x' })).toEqual({ kind: 'conflict' })
    expect(await open().list({}, { limit: 10 })).toHaveLength(2)
  })

  test('takes nothing from a change that finds itself made', async () => {
    const take = (id: string) => (before?: { id: string }) => before ?? { id }
    expect(await open(losing(1).database).changeValue('pod', take('a'))).toEqual({ id: 'a' })
    expect(await open(losing(1).database).changeValue('pod', take('b'))).toEqual({ id: 'a' })
    expect(await open(losing(1).database).changeValue<{ id: string }, undefined>('pod', () => undefined)).toBeUndefined()
    expect(await open().getValue('pod')).toBeUndefined()
  })

  test('lets a diagnosis begin once', async () => {
    await open().accept(requestOf(1))
    await open().accept(requestOf(2))
    expect(await open(losing(1).database).begin(requestOf(1).id, 1)).toBe(true)
    expect(await open(losing(1).database).begin(requestOf(2).id, 1)).toBe(false)
    expect(await open(losing(1).database).requestCancel(requestOf(2).id)).toBe(true)
    expect(await open(losing(1).database).update(requestOf(2).id, { state: 'done' })).toMatchObject({ state: 'done', cancelRequested: true })
  })

  test.each([
    'D1_ERROR: D1 DB reset because its code was updated.',
    'D1_ERROR: Internal error in D1 DB storage caused object to be reset.',
    'D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.',
    'D1_ERROR: Cannot resolve D1 DB due to transient issue on remote node.',
    'D1_ERROR: D1 DB is overloaded. Requests queued for too long.',
  ])('after "%s" is asked for again', async (message) => {
    await open(losing(4, message).database).setValue('k', 1)
    expect(await open().getValue('k')).toBe(1)
  })

  test('is given up after four pauses, and other failures at once', async () => {
    const pauses: number[] = []
    const clock = {
      now,
      sleep: async (ms: number) => {
        pauses.push(ms)
      },
    }
    const away = losing(9)
    const refused = d1Records({ database: away.database, clock }).getValue('k')
    await expect(refused).rejects.toThrow(new RecordsUnavailable('Cannot use the D1 database now: D1_ERROR: Network connection lost.'))
    expect(away.most()).toBe(5)
    expect(pauses).toHaveLength(4)
    for (const [n, most] of [100, 300, 900, 2700].entries()) {
      expect(pauses[n]).toBeLessThanOrEqual(most)
      expect(pauses[n]).toBeGreaterThanOrEqual(most / 2)
    }
    const broken = losing(9, 'D1_ERROR: UNIQUE constraint failed: diagnoses.id: SQLITE_CONSTRAINT')
    await expect(open(broken.database).getValue('k')).rejects.toThrow('UNIQUE')
    expect(broken.most()).toBe(1)
  })
})
