import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { printers } from './limits-log.ts'

const script = fileURLToPath(new URL('./limits-memory-process.ts', import.meta.url))
/** A Worker has 128 MB for everything: the buffers of the log and of an upload, which are none of V8's objects, are up to 40 of them. */
const heapMiB = 32
/** Timestamps included. */
const bytes = 8 * 1024 ** 2

/** One after another: each takes a processor and a half. */
describe('from the log to the bundle, in 32 MiB', () => {
  test.each(Object.keys(printers))('%s', { timeout: 60_000 }, async (name) => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', `--max-old-space-size=${heapMiB}`, script, String(bytes), name])
    expect(stdout).toBe('terminated\n')
  })
})
