import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { vi } from 'vitest'

const run = promisify(execFile)
const lab = fileURLToPath(new URL('../lab/lab', import.meta.url))

/** Kills or restarts a part of the lab and waits until it is ready again, or, killed, gone. Other commands at the lab are waited for. */
export async function labComponent(command: 'kill' | 'restart', component: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  const attempt = () => run(lab, [command, component], { env: { ...process.env, ...settings } })
  await vi.waitFor(attempt, { timeout: 60_000, interval: 500 })
}
