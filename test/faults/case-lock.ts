import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Waits until no other run of this machine has the case up, and keeps it from others until the function that it returns is called, or
 * this process ends however it may: a child of it holds a lock of the kernel. Throws when the other has it for longer than `seconds`.
 */
export async function holdCase(namespace: string, seconds: number): Promise<() => Promise<void>> {
  const file = join(tmpdir(), `autodiagnose-${namespace}.lock`)
  const child = spawn('flock', ['--timeout', String(seconds), file, 'sh', '-c', 'echo held; cat'], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = once(child, 'close')
  const held = await Promise.race([once(child.stdout, 'data').then(() => true), closed.then(() => false)])
  if (!held) throw new Error(`another run has had "${namespace}" up for ${seconds} s`)
  return async () => {
    child.stdin.end()
    await closed
  }
}
