import { setTimeout as delay } from 'node:timers/promises'
import { logOf, printers } from './limits-log.ts'

/** Arguments: how many bytes of what are printed. Takes the log from the kubelet to the bundle; whoever starts it bounds its memory. */
const [bytes = '', name = ''] = process.argv.slice(2)
const print = printers[name]
if (!print) throw new RangeError(`There is no printer "${name}": there are ${Object.keys(printers).join(', ')}`)
const clock = {
  now: () => Date.now(),
  sleep: async (ms: number, signal?: AbortSignal) => {
    await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
  },
}
const log = logOf(print, Number(bytes), clock)
const { end } = await log.listen()
await log.end()
await log.seal()
process.stdout.write(`${end}\n`)
