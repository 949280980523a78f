import { type Kysely, type Selectable, sql } from 'kysely'
import type { IntakeRecords, SuppressedGroup, Trouble } from './intake.ts'
import type { Schema, TroublesTable } from './schema.ts'

const maxGroups = 50
const maxPods = 20

type TroubleRecords = Pick<IntakeRecords, 'openTrouble' | 'getTrouble' | 'resolveTrouble' | 'setTroubleReport' | 'suppressedFor' | 'suppressedBy'>

/** What troubles there are, and whether they last; each change may be sent twice, as all of `sqlRecords`. */
export function sqlTroubles(db: Kysely<Schema>, now: () => string): TroubleRecords {
  const get = (id: string) => db.selectFrom('troubles').selectAll().where('id', '=', id)

  return {
    async openTrouble({ alert, ...seed }) {
      // Mostly it lasts, and nothing has to be written.
      const met = await get(seed.id).executeTakeFirst()
      if (met && (met.resolved_at === null || met.opened_by === alert)) return troubleOf(met)
      const at = now()
      const opened = await db
        .insertInto('troubles')
        .values({ ...seed, opened_at: at, updated_at: at, round: 1, opened_by: alert })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet((eb) => ({ resolved_at: null, round: eb('troubles.round', '+', 1), opened_at: at, updated_at: at, opened_by: alert }))
            .where('troubles.resolved_at', 'is not', null)
            .where('troubles.opened_by', '!=', alert),
        )
        .returningAll()
        .executeTakeFirst()
      return troubleOf(opened ?? (await get(seed.id).executeTakeFirstOrThrow()))
    },

    async getTrouble(id) {
      const row = await get(id).executeTakeFirst()
      return row && troubleOf(row)
    },

    async resolveTrouble(id, at) {
      const row = await db
        .updateTable('troubles')
        .set({ resolved_at: at, updated_at: at })
        .where('id', '=', id)
        .where((eb) => eb.or([eb('resolved_at', 'is', null), eb('resolved_at', '=', at)]))
        .where((eb) => {
          const firing = eb.selectFrom('alerts').select('alerts.id').where('alerts.resolved_at', 'is', null)
          const opener = firing.whereRef('alerts.id', '=', 'troubles.opened_by').where('state', '=', 'received')
          return eb.not(eb.or([eb.exists(firing.where('trouble', '=', id)), eb.exists(opener)]))
        })
        .returningAll()
        .executeTakeFirst()
      return row && troubleOf(row)
    },

    async setTroubleReport(id, report) {
      await db.updateTable('troubles').set({ report, updated_at: now() }).where('id', '=', id).execute()
    },

    async suppressedFor(trouble) {
      const diagnoses = db
        .selectFrom('alerts')
        .select('diagnosis')
        .where('trouble', '=', trouble)
        .where('outcome', '=', sql.lit('diagnosed' as const))
        .where('diagnosis', 'is not', null)
      return groups(db, suppressed(db).where('diagnosis', 'in', diagnoses))
    },

    async suppressedBy(suppression, cluster, since) {
      return groups(db, suppressed(db).where('suppression', '=', suppression).where('cluster', '=', cluster).where('received_at', '>=', since))
    },
  }
}

function troubleOf({ id, cluster, namespace, workload, name, round, ...row }: Selectable<TroublesTable>): Trouble {
  return {
    id,
    cluster,
    namespace,
    workload,
    name,
    openedAt: row.opened_at,
    updatedAt: row.updated_at,
    ...(row.resolved_at !== null && { resolvedAt: row.resolved_at }),
    round,
    ...(row.report !== null && { report: row.report }),
  }
}

/** Suppressed alerts, counted by name, reason and pod. */
function suppressed(db: Kysely<Schema>) {
  return db
    .selectFrom('alerts')
    .select((eb) => ['name', 'suppression', 'pod', eb.fn.countAll<number>().as('count')])
    .where('outcome', '=', sql.lit('suppressed' as const))
    .groupBy(['name', 'suppression', 'pod'])
}

/** Of these the groups, each with its first pods: the database counts, because there may be thousands. */
async function groups(db: Kysely<Schema>, counted: ReturnType<typeof suppressed>): Promise<readonly SuppressedGroup[]> {
  const ranked = counted.select(sql<number>`row_number() over (partition by name, suppression order by pod is null, pod)`.as('place'))
  const rows = await db
    .selectFrom(ranked.as('ranked'))
    .select((eb) => ['name', 'suppression', eb.fn.sum<number>('count').as('count')])
    .select(sql<string>`json_group_array(pod) filter (where pod is not null and place <= ${sql.lit(maxPods)})`.as('pods'))
    .where('suppression', 'is not', null)
    .groupBy(['name', 'suppression'])
    .orderBy('count', 'desc')
    .orderBy('name')
    .orderBy('suppression')
    .limit(maxGroups)
    .execute()
  return rows.flatMap(({ name, suppression, count, pods }) =>
    suppression === null ? [] : { name, suppression, count: Number(count), pods: (JSON.parse(pods) as string[]).toSorted() },
  )
}
