// A diagnostic image for tests: prints what the runner would, as the checks say. `print=LINESxMS`: so many numbered lines, so many milliseconds
// apart; `blind`: the first container does not see its target, and finds out that it runs as another group.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

const args = process.argv.slice(2)
const diagnosis = args.find((arg) => arg.startsWith('--diagnosis='))?.slice('--diagnosis='.length) ?? ''
const checks = args.filter((arg) => !arg.startsWith('--'))
const [lines = 20, pauseMs = 0] = (checks.find((check) => check.startsWith('print='))?.slice('print='.length) ?? '')
  .split('x')
  .filter(Boolean)
  .map(Number)
const count = { lines: 0, bytes: 0 }

async function print(line) {
  count.lines += 1
  count.bytes += Buffer.byteLength(line) + 1
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, 'drain')
}

await print('TAP version 14')
await print(`# diagnosis ${diagnosis}`)
const blind = checks.includes('blind')
if (blind || diagnosis.endsWith('-2'))
  await print(`# autodiagnose target pid=1 uid=${process.getuid()} gid=${process.getgid() + 1} visible=${blind ? 'no' : 'yes'}`)
await print('# check print')
for (let n = 1; n <= lines; n++) {
  await print(`# line ${String(n).padStart(6, '0')} of ${lines}, ${'as long as a line of a log may well be '.repeat(4)}`)
  if (pauseMs > 0) await sleep(pauseMs)
}
await print('not ok 1 - http://backend.example:8080 answered 500 Internal Server Error')
await print('1..1')
await print(`# autodiagnose end lines=${count.lines} bytes=${count.bytes}`)
