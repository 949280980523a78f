import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrationFiles } from '../../scripts/migrations.ts'
import { sqliteRecords } from '../../src/ports/records/sqlite.ts'
import { recordsContract, requestOf } from './records.ts'
import { alertOf } from './records-values.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'autodiagnose-records-'))
const clock = { now: () => 1_700_000_000_000 }

recordsContract('sqlite', async () => {
  const directory = await temporary()
  let time = clock.now()
  const open = () => sqliteRecords({ directory, clock: { now: () => time } })
  let records = await open()
  return {
    records,
    setTime: (ms) => {
      time = ms
    },
    async reopen() {
      await records.close()
      records = await open()
      return records
    },
    async dispose() {
      await records.close()
      await rm(directory, { recursive: true })
    },
  }
})

describe('sqliteRecords()', () => {
  let directory: string
  const children: ChildProcess[] = []
  beforeEach(async () => {
    directory = await temporary()
  })
  afterEach(async () => {
    for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) await killed(child)
    await rm(directory, { recursive: true })
  })

  function start(firstId: number): ChildProcess {
    const script = fileURLToPath(new URL('./records-process.ts', import.meta.url))
    const child = spawn(process.execPath, ['--import', 'tsx', script, directory, String(firstId)], { stdio: ['ignore', 'pipe', 'pipe'] })
    children.push(child)
    return child
  }

  /** The first `count` lines of the child's output. */
  async function lines(child: ChildProcess, count: number): Promise<string[]> {
    const read: string[] = []
    if (!child.stdout) throw new Error('no stdout')
    for await (const line of createInterface({ input: child.stdout })) if (read.push(line) >= count) return read
    throw new Error(`the process ended after ${read.length} lines`)
  }

  async function killed(child: ChildProcess): Promise<void> {
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  test('refuses a second process and names the directory', async () => {
    const records = await sqliteRecords({ directory, clock })
    const child = start(0)
    let stderr = ''
    child.stderr?.on('data', (chunk) => {
      stderr += chunk
    })
    const [code] = await once(child, 'close')
    expect(code).toBe(1)
    expect(stderr).toContain(`Cannot use the state directory "${directory}": another process is using it`)
    await records.close()
    expect(await lines(start(0), 1)).toEqual(['open'])
  })

  test('refuses a second opener in the same process, and frees the directory at close()', async () => {
    const records = await sqliteRecords({ directory, clock })
    await expect(sqliteRecords({ directory, clock })).rejects.toThrow(`Cannot use the state directory "${directory}"`)
    await records.check()
    await records.close()
    await (await sqliteRecords({ directory, clock })).close()
  })

  test('loses nothing that was confirmed before kill -9, which frees the directory', async () => {
    for (const firstId of [0, 100_000]) {
      const child = start(firstId)
      const told = await lines(child, 25)
      await killed(child)
      const last = Number(told.at(-1)?.split(' ')[1])
      expect(last).toBe(firstId + 23)
      const records = await sqliteRecords({ directory, clock })
      expect(await records.get(requestOf(last).id)).toMatchObject({ id: requestOf(last).id, state: 'accepted' })
      await records.close()
    }
  })

  test('keeps a write-ahead log', async () => {
    await (await sqliteRecords({ directory, clock })).close()
    const database = new DatabaseSync(join(directory, 'records.sqlite'))
    expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    database.close()
  })

  test('refuses a database that a newer version made, and leaves it alone', async () => {
    const file = join(directory, 'records.sqlite')
    await (await sqliteRecords({ directory, clock })).close()
    const database = new DatabaseSync(file)
    database.exec("INSERT INTO kysely_migration VALUES ('9999_of_the_future', '2030-01-01T00:00:00.000Z')")
    database.close()
    await expect(sqliteRecords({ directory, clock })).rejects.toThrow(/^Cannot open the records ".*records\.sqlite": .*"9999_of_the_future"/)
    await expect(sqliteRecords({ directory, clock })).rejects.toThrow('newer version')
  })

  test('brings the diagnoses of version 0001 up to date', async () => {
    const request = requestOf(1, { report: { tracker: 'redmine', key: '12' } })
    const database = new DatabaseSync(join(directory, 'records.sqlite'))
    database.exec((await migrationFiles()).get('0001_diagnoses.sql') ?? '')
    database.exec('CREATE TABLE kysely_migration (name varchar(255) NOT NULL PRIMARY KEY, timestamp varchar(255) NOT NULL)')
    database.exec("INSERT INTO kysely_migration VALUES ('0001_diagnoses', '2026-01-01T00:00:00.000Z')")
    const columns =
      'id, created_at, updated_at, requester, cluster, namespace, report, state, cancel_requested, started, request, containers, findings, redactions'
    const { id, createdAt } = request
    database
      .prepare(`INSERT INTO diagnoses (${columns}) VALUES (?, ?, ?, 'ann', 'main', 'fruit', 'redmine:12', 'gathering', 0, 1, ?, '[]', '[]', '{}')`)
      .run(id, createdAt, createdAt, JSON.stringify(request))
    database.close()
    const records = await sqliteRecords({ directory, clock })
    expect(await records.get(id)).toStrictEqual({
      ...request,
      updatedAt: createdAt,
      state: 'gathering',
      cancelRequested: false,
      containers: [],
      findings: [],
      redactions: {},
    })
    expect(await records.list({ report: 'redmine:12' }, { limit: 9 })).toHaveLength(1)
    expect(await records.update(id, { report: { tracker: 'redmine', key: '13' } })).toMatchObject({ report: { key: '13' } })
    expect(await records.receiveAlerts([alertOf(1)])).toMatchObject({ fresh: [alertOf(1).id] })
    await records.close()
  })

  test('names the file that is no database', async () => {
    await writeFile(join(directory, 'records.sqlite'), 'not a database, not at all, but long enough to be read as a header of one; so it is refused')
    await expect(sqliteRecords({ directory, clock })).rejects.toThrow(`Cannot open the records "${join(directory, 'records.sqlite')}"`)
  })
})
