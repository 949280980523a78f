import { type Expression, type ExpressionBuilder, type Insertable, type Kysely, type Selectable, type SqlBool, sql } from 'kysely'
import type { AlertFilter, AlertRecord, IntakeRecords, NewAlert } from './intake.ts'
import type { AlertsTable, Schema } from './schema.ts'
import { visibleBy } from './visible.ts'

/** Half of what D1 takes as one value: https://developers.cloudflare.com/d1/platform/limits/ */
const maxBytes = 1_000_000

type AlertRecords = Pick<
  IntakeRecords,
  'receiveAlerts' | 'dueAlerts' | 'settleAlert' | 'settleAlerts' | 'resolvedAmong' | 'delayAlert' | 'getAlert' | 'listAlerts'
>

/** What became of alerts; each change may be sent twice, as all of `sqlRecords`. */
export function sqlAlerts(db: Kysely<Schema>, now: () => string): AlertRecords {
  const received = (id: string) => db.updateTable('alerts').where('id', '=', id).where('state', '=', 'received')

  return {
    async receiveAlerts(alerts) {
      const at = now()
      const rows = alerts.map((alert) => rowOf(alert, at))
      for (const part of parts(rows)) await insert(db, part)
      const ends = alerts.map((alert) => endOf(alert, at))
      for (const part of parts(ends)) await endEarlier(db, part)
      const known = await find(db, alerts)
      const fresh = new Set(alerts.filter(({ id, key }) => known.get(key)?.id === id).map(({ id }) => id))
      const resolved = alerts.filter(({ status }) => status === 'resolved')
      const troubles = new Set(resolved.flatMap(({ key }) => known.get(key)?.trouble ?? []))
      for (const part of parts(ends)) for (const trouble of await troublesEnded(db, part)) troubles.add(trouble)
      const repeated = alerts.filter(({ id, status }) => status === 'firing' && !fresh.has(id)).length
      return { fresh: [...fresh], repeated, troubles: [...troubles] }
    },

    async dueAlerts(until, limit) {
      const query = db.selectFrom('alerts').selectAll().where(isReceived).where('due_at', '<=', until)
      return (await query.orderBy('due_at').orderBy('id').limit(limit).execute()).map(alertOf)
    },

    settleAlert: (id, settlement) => settle(db, [{ id, ...settlement }]),

    settleAlerts: (settlements) => settle(db, settlements),

    async resolvedAmong(ids) {
      const found: string[] = []
      for (const part of parts(ids)) {
        const query = db.selectFrom('alerts').select('id').where('resolved_at', 'is not', null)
        const rows = await query.where('id', 'in', sql<string>`(select given.value from ${each(part)})`).execute()
        found.push(...rows.map(({ id }) => id))
      }
      return found
    },

    async delayAlert(id, dueAt, message) {
      await received(id).set({ due_at: dueAt, message }).execute()
    },

    async getAlert(id) {
      const row = await db.selectFrom('alerts').selectAll().where('id', '=', id).executeTakeFirst()
      return row && alertOf(row)
    },

    async listAlerts(filter, { limit, after }) {
      const rows = await db
        .selectFrom('alerts')
        .selectAll()
        .where((eb) => matches(eb, filter))
        .$if(after !== undefined, (query) => query.where('id', '<', after ?? ''))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute()
      return rows.map(alertOf)
    },
  }
}

type Builder = ExpressionBuilder<Schema, 'alerts'>
type Row = Insertable<AlertsTable>

/** Written out, as the outcome in lists: a partial index is of use only where the statement itself says what is in it. */
const isReceived = (eb: Builder) => eb('state', '=', sql.lit('received' as const))

const given = ['id', 'key', 'received_at', 'resolved_at', 'state', 'due_at', 'source', 'fingerprint', 'name', 'alert', 'outcome', 'message'] as const

function rowOf({ id, key, endsAt, ...alert }: NewAlert, at: string): Pick<Row, (typeof given)[number]> {
  const { source } = alert
  const texts = { source, fingerprint: alert.fingerprint.toWellFormed(), name: alert.name.toWellFormed(), alert: JSON.stringify(alert) }
  const row = { id, key, received_at: at, due_at: at, ...texts }
  if (alert.status === 'firing') return { ...row, state: 'received' }
  const message = 'It was resolved before it was seen firing'
  return { ...row, resolved_at: endsAt ?? at, state: 'settled', outcome: 'ignored', message }
}

function alertOf(row: Selectable<AlertsTable>): AlertRecord {
  const { cluster, namespace, workload, pod, trouble, outcome, suppression, message, diagnosis } = row
  return {
    ...(JSON.parse(row.alert) as Omit<NewAlert, 'id' | 'key' | 'endsAt'>),
    id: row.id,
    key: row.key,
    status: row.resolved_at === null ? 'firing' : 'resolved',
    receivedAt: row.received_at,
    state: row.state,
    dueAt: row.due_at,
    ...(row.resolved_at !== null && { endsAt: row.resolved_at, resolvedAt: row.resolved_at }),
    ...(cluster !== null && { cluster }),
    ...(namespace !== null && { namespace }),
    ...(workload !== null && { workload }),
    ...(pod !== null && { pod }),
    ...(trouble !== null && { trouble }),
    ...(outcome !== null && { outcome }),
    ...(suppression !== null && { suppression }),
    ...(message !== null && { message }),
    ...(diagnosis !== null && { diagnosis }),
  }
}

/** The rows as JSON texts, each of so many that a statement takes it. */
function parts(rows: readonly unknown[]): string[] {
  const found: string[] = []
  let part: string[] = []
  let bytes = 0
  for (const row of rows) {
    const text = JSON.stringify(row)
    const size = new TextEncoder().encode(text).length + 1
    if (part.length > 0 && bytes + size > maxBytes) {
      found.push(`[${part.join()}]`)
      part = []
      bytes = 0
    }
    part.push(text)
    bytes += size
  }
  if (part.length > 0) found.push(`[${part.join()}]`)
  return found
}

/**
 * All rows as one parameter: D1 takes 100 of them, and the length of the statement would change with each delivery. Whether a row was new is asked
 * afterwards: what is returned here would be another thing the second time.
 */
async function insert(db: Kysely<Schema>, rows: string): Promise<void> {
  await db
    .insertInto('alerts')
    .columns(given)
    .expression((eb) =>
      eb
        .selectFrom(each(rows))
        .select(given.map((column) => sql`given.value ->> ${sql.lit(column)}`.as(column)))
        // SQLite takes the ON of the conflict for that of a join otherwise: https://sqlite.org/lang_upsert.html#parsing_ambiguity
        .where(eb.lit(true)),
    )
    .onConflict((conflict) =>
      conflict
        .column('key')
        .doUpdateSet((eb) => ({ resolved_at: eb.ref('excluded.resolved_at') }))
        .where('alerts.resolved_at', 'is', null)
        .where('excluded.resolved_at', 'is not', null),
    )
    .execute()
}

/**
 * What began before `until` is over then. Senders tell another start of one and the same firing: Alertmanager, when the second Prometheus of a pair saw it
 * earlier; PagerDuty, when an incident that was reopened is resolved. And the end of a firing may never be told: where it was silenced, or
 * the sender was restarted.
 */
function endOf({ source, fingerprint, status, startsAt, endsAt }: NewAlert, at: string) {
  return { source, fingerprint: fingerprint.toWellFormed(), until: status === 'firing' ? startsAt : (endsAt ?? at) }
}

const endOfSame = (column: 'source' | 'fingerprint') => sql<SqlBool>`${sql.ref(`alerts.${column}`)} = given.value ->> ${sql.lit(column)}`
const until = sql<string>`given.value ->> 'until'`

async function endEarlier(db: Kysely<Schema>, ends: string): Promise<void> {
  await db
    .updateTable('alerts')
    .from(each(ends))
    .set({ resolved_at: until })
    .where(endOfSame('fingerprint'))
    .where(endOfSame('source'))
    .where('alerts.resolved_at', 'is', null)
    .where(sql<SqlBool>`alerts.alert ->> 'startsAt' < ${until}`)
    .execute()
}

/** Asked afterwards, as whether a row was new. */
async function troublesEnded(db: Kysely<Schema>, ends: string): Promise<string[]> {
  const rows = await db
    .selectFrom(each(ends))
    .innerJoin('alerts', (join) => join.on(endOfSame('fingerprint')).on(endOfSame('source')).on('alerts.resolved_at', '=', until))
    .select('alerts.trouble')
    .distinct()
    .execute()
  return rows.flatMap(({ trouble }) => trouble ?? [])
}

const settled = ['outcome', 'cluster', 'namespace', 'workload', 'pod', 'trouble', 'suppression', 'message', 'diagnosis'] as const

async function settle(db: Kysely<Schema>, settlements: Parameters<AlertRecords['settleAlerts']>[0]): Promise<void> {
  const columns = Object.fromEntries(settled.map((column) => [column, sql`given.value ->> ${sql.lit(column)}`]))
  for (const part of parts(settlements)) {
    await db
      .updateTable('alerts')
      .from(each(part))
      .set({ state: 'settled', ...columns })
      .where('alerts.id', '=', sql<string>`given.value ->> 'id'`)
      // With the plus, SQLite does not walk through all that is received: https://sqlite.org/optoverview.html#uplus
      .where(sql<SqlBool>`+alerts.state = 'received'`)
      .execute()
  }
}

const each = (array: string) => sql<{ value: string }>`json_each(${array})`.as<'given'>(sql.ref('given'))

interface Known {
  readonly id: string
  readonly trouble: string | null
}

async function find(db: Kysely<Schema>, alerts: readonly NewAlert[]): Promise<ReadonlyMap<string, Known>> {
  const found = new Map<string, Known>()
  for (const part of parts(alerts.map(({ key }) => key))) {
    const keys = sql<string>`(select given.value from ${each(part)})`
    const rows = await db.selectFrom('alerts').select(['id', 'key', 'trouble']).where('key', 'in', keys).execute()
    for (const { key, ...known } of rows) found.set(key, known)
  }
  return found
}

function matches(eb: Builder, filter: AlertFilter): Expression<SqlBool> {
  const conditions: Expression<SqlBool>[] = []
  for (const column of ['source', 'suppression', 'name', 'namespace', 'cluster', 'trouble'] as const) {
    const value = filter[column]
    if (value !== undefined) conditions.push(eb(column, '=', value))
  }
  if (filter.outcome !== undefined) conditions.push(eb('outcome', '=', sql.lit(filter.outcome)))
  if (filter.visible) conditions.push(visibleBy(filter.visible))
  return eb.and(conditions)
}
