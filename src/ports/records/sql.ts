import { type Expression, type ExpressionBuilder, type Kysely, type SqlBool, sql } from 'kysely'
import type { Clock } from '../../deps.ts'
import type { Accepted, DiagnosisFilter, Records } from './records.ts'
import { columnsOf, diagnosisOf, rowOf, type Schema } from './schema.ts'

/** A lost race is tried again this often; somebody has won each time. */
const maxRaces = 100

/**
 * Records on any SQL database that Kysely has a dialect for. Every change is one statement, because D1 has no interactive
 * transactions: what must be unique is so by `ON CONFLICT`, and a value is changed by comparing it with what was read.
 * The schema must be there: see `migrate`.
 */
export function sqlRecords(db: Kysely<Schema>, clock: Pick<Clock, 'now'>): Records {
  const now = () => new Date(clock.now()).toISOString()

  return {
    async accept(request, idempotency): Promise<Accepted> {
      const made = await db
        .insertInto('diagnoses')
        .values(rowOf(request, idempotency, now()))
        .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
        .returningAll()
        .executeTakeFirst()
      if (made) return { kind: 'accepted', diagnosis: diagnosisOf(made) }
      const met = await db
        .selectFrom('diagnoses')
        .selectAll()
        .where('idempotency_key', '=', idempotency?.key ?? null)
        .executeTakeFirstOrThrow()
      return met.fingerprint === idempotency?.fingerprint ? { kind: 'repeated', diagnosis: diagnosisOf(met) } : { kind: 'conflict' }
    },

    async get(id) {
      const row = await db.selectFrom('diagnoses').selectAll().where('id', '=', id).executeTakeFirst()
      return row && diagnosisOf(row)
    },

    async list(filter, { limit, after }) {
      const rows = await db
        .selectFrom('diagnoses')
        .selectAll()
        .where((eb) => matches(eb, filter))
        .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(diagnosisOf)
    },

    async update(id, change) {
      const row = await db
        .updateTable('diagnoses')
        .set({ ...columnsOf(change), updated_at: now() })
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst()
      if (!row) throw new Error(`Cannot update diagnosis "${id}": no record has this id`)
      return diagnosisOf(row)
    },

    async requestCancel(id) {
      const row = await db
        .updateTable('diagnoses')
        .set({ cancel_requested: 1, updated_at: now() })
        .where('id', '=', id)
        .where('state', 'not in', ['sealing', 'sharing', 'done'])
        .returning('id')
        .executeTakeFirst()
      return row !== undefined
    },

    async markStarted(id) {
      await db.updateTable('diagnoses').set({ started: 1 }).where('id', '=', id).execute()
    },

    async unstarted(limit) {
      const query = db.selectFrom('diagnoses').select('id').where('started', '=', 0).where('state', '!=', 'done')
      return (await query.orderBy('id').limit(limit).execute()).map((row) => row.id)
    },

    async countActive() {
      const query = db.selectFrom('diagnoses').select((eb) => eb.fn.countAll().as('active'))
      return Number((await query.where('state', '!=', 'done').executeTakeFirstOrThrow()).active)
    },

    async getValue<T>(key: string) {
      const row = await db.selectFrom('kept').select('value').where('key', '=', key).executeTakeFirst()
      return row && (JSON.parse(row.value) as T)
    },

    async setValue(key, value) {
      if (value === undefined) await db.deleteFrom('kept').where('key', '=', key).execute()
      else await put(db, key, json(key, value))
    },

    async changeValue<T, R extends T | undefined>(key: string, change: (before: T | undefined) => R) {
      for (let race = 0; race < maxRaces; race++) {
        const before = await db.selectFrom('kept').select('value').where('key', '=', key).executeTakeFirst()
        const after = change(before && (JSON.parse(before.value) as T))
        if (await exchange(db, key, before?.value, after === undefined ? undefined : json(key, after))) return after
      }
      throw new Error(`Cannot change value "${key}": others changed it first, ${maxRaces} times in a row`)
    },

    // A write, because a full or read-only disk still reads.
    check: () => put(db, 'check', '1'),

    close: () => db.destroy(),
  }
}

/** Puts one text in place of another, undefined standing for none; false if the other is not there any more. */
async function exchange(db: Kysely<Schema>, key: string, before: string | undefined, value: string | undefined): Promise<boolean> {
  if (value === before) return true
  if (before === undefined) {
    const made = db
      .insertInto('kept')
      .values({ key, value: value ?? '' })
      .onConflict((conflict) => conflict.column('key').doNothing())
    return (await made.returning('key').executeTakeFirst()) !== undefined
  }
  if (value === undefined)
    return (await db.deleteFrom('kept').where('key', '=', key).where('value', '=', before).returning('key').executeTakeFirst()) !== undefined
  const changed = db.updateTable('kept').set({ value }).where('key', '=', key).where('value', '=', before)
  return (await changed.returning('key').executeTakeFirst()) !== undefined
}

async function put(db: Kysely<Schema>, key: string, value: string): Promise<void> {
  const query = db.insertInto('kept').values({ key, value })
  await query.onConflict((conflict) => conflict.column('key').doUpdateSet({ value })).execute()
}

function json(key: string, value: unknown): string {
  const text: string | undefined = JSON.stringify(value)
  if (text === undefined) throw new TypeError(`Cannot keep value "${key}": expected JSON, got ${typeof value}`)
  return text
}

type Builder = ExpressionBuilder<Schema, 'diagnoses'>

function matches(eb: Builder, filter: DiagnosisFilter): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = []
  for (const [column, value] of [
    ['state', filter.state],
    ['outcome', filter.outcome],
    ['cluster', filter.cluster],
    ['namespace', filter.namespace],
    ['pod_name', filter.pod],
    ['requester', filter.requester],
    ['report', filter.report],
  ] as const) {
    if (value !== undefined) conditions.push(eb(column, '=', value))
  }
  if (filter.visible) {
    const visible = filter.visible.map((rule) => eb.and([anyOf(eb, 'cluster', rule.clusters), anyOf(eb, 'namespace', rule.namespaces)]))
    conditions.push(eb.or(visible))
  }
  return eb.and(conditions)
}

/** `eb.or([])` is false: who may see nothing sees nothing. */
function anyOf(eb: Builder, column: 'cluster' | 'namespace', patterns: readonly string[]): Expression<SqlBool> {
  return eb.or(patterns.map((pattern) => like(eb, column, pattern)))
}

function like(eb: Builder, column: 'cluster' | 'namespace', pattern: string): Expression<SqlBool> {
  if (!pattern.includes('*')) return eb(column, '=', pattern)
  // Names of clusters and namespaces have no capitals, but LIKE of SQLite, unlike that of Postgres, takes a capital for its small letter.
  if (pattern !== pattern.toLowerCase()) return eb.lit(false)
  const escaped = pattern.replace(/[\\%_]/g, '\\$&').replace(/\*+/g, '%')
  return sql<SqlBool>`${eb.ref(column)} like ${escaped} escape '\\'`
}
