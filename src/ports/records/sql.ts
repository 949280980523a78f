import type { Expression, ExpressionBuilder, Kysely, SqlBool } from 'kysely'
import type { Clock } from '../../deps.ts'
import { type State, states } from '../../diagnosis/diagnosis.ts'
import type { Accepted, DiagnosisFilter, Records } from './records.ts'
import { columnsOf, diagnosisOf, rowOf, type Schema } from './schema.ts'
import { sqlAlerts } from './sql-alerts.ts'
import { sqlTellings } from './sql-tellings.ts'
import { sqlTroubles } from './sql-troubles.ts'
import { visibleBy } from './visible.ts'

/** A lost race is tried again this often; somebody has won each time. */
const maxRaces = 100

/** Named one by one: the index by state is of no use to `state != 'done'`, and D1 bills every row that is looked at. */
const active: readonly State[] = states.filter((state) => state !== 'done')
/** Those that a limit of `begin` counts. */
const atWork: readonly State[] = ['gathering', 'injecting', 'listening', 'sealing']

/**
 * Records on any SQL database that Kysely has a dialect for. Every change is one statement, because D1 has no interactive
 * transactions: what must be unique is so by `ON CONFLICT`, and a value is changed by comparing it with what was read.
 * A statement may be sent again when its answer was lost: the second time it changes nothing that matters and answers the same.
 * The schema must be there: see `migrate`.
 */
export function sqlRecords(db: Kysely<Schema>, clock: Pick<Clock, 'now'>): Records {
  const now = () => new Date(clock.now()).toISOString()

  return {
    ...sqlAlerts(db, now),
    ...sqlTroubles(db, now),
    ...sqlTellings(db, now),

    async accept(request, idempotency): Promise<Accepted> {
      const given = rowOf(request, idempotency, now())
      const insert = db.insertInto('diagnoses').values(given)
      const made = await insert
        .onConflict((conflict) => conflict.doNothing())
        .returningAll()
        .executeTakeFirst()
      if (made) return { kind: 'accepted', diagnosis: diagnosisOf(made) }
      const query = db.selectFrom('diagnoses').selectAll()
      const own = await query.where('id', '=', request.id).executeTakeFirst()
      if (own) {
        if (own.request !== given.request) throw new Error(`Cannot accept diagnosis "${request.id}": another request has this id`)
        return { kind: 'accepted', diagnosis: diagnosisOf(own) }
      }
      const met = await query.where('idempotency_key', '=', idempotency?.key ?? null).executeTakeFirstOrThrow()
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

    async begin(id, limit) {
      // Writers take turns in SQLite and D1, so the count holds when the change is made.
      const row = await db
        .updateTable('diagnoses')
        .set((eb) => {
          const accepted = eb('state', '=', 'accepted')
          return {
            state: eb.case().when(accepted).then(eb.val<State>('gathering')).else(eb.ref('state')).end(),
            updated_at: eb.case().when(accepted).then(now()).else(eb.ref('updated_at')).end(),
          }
        })
        .where('id', '=', id)
        .where((eb) => {
          const working = eb
            .selectFrom('diagnoses as other')
            .select((other) => other.fn.countAll<number>().as('count'))
            .where('other.state', 'in', atWork)
          return eb.or([eb('state', '!=', 'accepted'), eb(working, '<', limit)])
        })
        .returning('id')
        .executeTakeFirst()
      return row !== undefined
    },

    async markStarted(id) {
      await db.updateTable('diagnoses').set({ started: 1 }).where('id', '=', id).execute()
    },

    async unstarted(limit) {
      const query = db.selectFrom('diagnoses').select('id').where('state', 'in', active).where('started', '=', 0)
      return (await query.orderBy('id').limit(limit).execute()).map((row) => row.id)
    },

    async idle(before, limit) {
      const query = db.selectFrom('diagnoses').select('id').where('state', 'in', active).where('started', '=', 1)
      const idle = query.where('updated_at', '<', before)
      // Those at work first: they have the places that the others wait for.
      const first = (eb: Builder) => eb.case().when('state', '=', 'accepted').then(1).else(0).end()
      const rows = await idle.orderBy(first).orderBy('updated_at').orderBy('id').limit(limit).execute()
      return rows.map((row) => row.id)
    },

    async countActive() {
      const query = db.selectFrom('diagnoses').select((eb) => eb.fn.countAll().as('active'))
      return Number((await query.where('state', 'in', active).executeTakeFirstOrThrow()).active)
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
  if (filter.visible) conditions.push(visibleBy(filter.visible))
  return eb.and(conditions)
}
