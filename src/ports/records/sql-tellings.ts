import type { ExpressionBuilder, Kysely, Selectable } from 'kysely'
import { sql } from 'kysely'
import type { IntakeRecords, Telling } from './intake.ts'
import type { Schema, TellingsTable } from './schema.ts'

type TellingRecords = Pick<IntakeRecords, 'tell' | 'dueTellings' | 'endTelling' | 'delayTelling'>

/** What reports are to be told; each change may be sent twice, as all of `sqlRecords`. */
export function sqlTellings(db: Kysely<Schema>, now: () => string): TellingRecords {
  const due = (id: string, version: number) => db.updateTable('tellings').where('id', '=', id).where('version', '=', version).where(isDue)

  return {
    async tell({ id, kind, trouble = null, report = null, note, dueAt }) {
      const columns = {
        kind,
        trouble,
        report,
        note: note === undefined ? null : JSON.stringify(note),
        state: 'due' as const,
        due_at: dueAt,
        attempts: 0,
        created_at: now(),
        // Sent again because its answer was lost, it is the same call: by then the first may have been told.
        call: crypto.randomUUID(),
        message: null,
      }
      await db
        .insertInto('tellings')
        .values({ id, version: 1, ...columns })
        .onConflict((conflict) =>
          conflict
            .column('id')
            .doUpdateSet((eb) => {
              // What its tracker makes wait goes on waiting, however often it is put down.
              const waits = eb.and([eb('tellings.state', '=', 'due'), eb('tellings.attempts', '>', 0)])
              const kept = <C extends 'due_at' | 'created_at'>(column: C, given: string) =>
                eb
                  .case()
                  .when(waits)
                  .then(eb.ref(`tellings.${column}`))
                  .else(given)
                  .end()
              return {
                ...columns,
                version: eb('tellings.version', '+', 1),
                due_at: kept('due_at', dueAt),
                created_at: kept('created_at', columns.created_at),
                attempts: eb.case().when(waits).then(eb.ref('tellings.attempts')).else(0).end(),
              }
            })
            .where('tellings.call', '!=', columns.call),
        )
        .execute()
    },

    async dueTellings(until, limit) {
      const query = db.selectFrom('tellings').selectAll().where(isDue).where('due_at', '<=', until)
      return (await query.orderBy('due_at').orderBy('id').limit(limit).execute()).map(tellingOf)
    },

    async endTelling(id, version, { state, message = null }) {
      await due(id, version).set({ state, message }).execute()
    },

    async delayTelling(id, version, dueAt, message) {
      await due(id, version)
        .set((eb) => ({ due_at: dueAt, message, attempts: eb('attempts', '+', 1) }))
        // The second time it is due then already.
        .where('due_at', '<', dueAt)
        .execute()
    },
  }
}

/** Written out, as a partial index wants it. */
const isDue = (eb: ExpressionBuilder<Schema, 'tellings'>) => eb('state', '=', sql.lit('due' as const))

function tellingOf({ id, kind, trouble, report, note, attempts, version, ...row }: Selectable<TellingsTable>): Telling {
  return {
    id,
    kind,
    ...(trouble !== null && { trouble }),
    ...(report !== null && { report }),
    ...(note !== null && { note: JSON.parse(note) }),
    dueAt: row.due_at,
    attempts,
    version,
    createdAt: row.created_at,
  }
}
