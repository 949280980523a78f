import { sqliteRecords } from '../../src/ports/records/sqlite.ts'
import { requestOf } from './records.ts'

/** A process of its own: opens the records of argv[2], says `open`, and then accepts requests without end, telling each. */
const records = await sqliteRecords({ directory: process.argv[2] ?? '', clock: { now: () => 1_700_000_000_000 } })
console.log('open')
for (let n = Number(process.argv[3]); n < 1e6; n++) {
  await records.accept(requestOf(n))
  console.log(`accepted ${n}`)
  if (n % 10 === 0) await new Promise(setImmediate)
}
