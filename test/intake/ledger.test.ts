import { expect, test } from 'vitest'
import type { Deps } from '../../src/deps.ts'
import { RecordsUnavailable } from '../../src/ports/records/records.ts'
import { apple } from './alerts.ts'
import { intakeWorld } from './intake-world.ts'

/** Makes no record of a diagnosis until told: it is in the ledger, and nowhere else. */
function withoutRecord() {
  let away = true
  return {
    wrap: ({ records }: Deps): Partial<Deps> => ({
      records: {
        ...records,
        accept: (...args) => (away ? Promise.reject(new RecordsUnavailable('The process is gone')) : records.accept(...args)),
      },
    }),
    goOn: () => {
      away = false
    },
  }
}

test('what is in the ledger is diagnosed, though its alert is resolved meanwhile: others count on it', async () => {
  const { wrap, goOn } = withoutRecord()
  const world = await intakeWorld({}, { wrap })
  await world.fire({ pod: apple(1) })
  expect(await world.diagnoses()).toEqual([])
  goOn()
  await world.fire({ pod: apple(1), resolved: true })
  await world.fire({ pod: apple(2) })
  const [diagnosis, ...others] = await world.diagnoses()
  expect(others).toEqual([])
  expect(await world.alerts()).toMatchObject([
    { outcome: 'diagnosed', diagnosis: diagnosis?.id },
    { outcome: 'suppressed', suppression: 'same-trouble', diagnosis: diagnosis?.id },
  ])
  expect(await world.issues()).toMatchObject([{ notes: [{ marker: diagnosis?.id }] }])
})
