import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { sqliteRecords } from '../../src/ports/records/sqlite.ts'
import { filesStore } from '../../src/ports/store/files.ts'
import { probeEmulator } from '../contract/emulator-probe.ts'
import { openDemo } from './demo.ts'
import type { Platform } from './platform.ts'

const newDirectory = () => mkdtemp(join(tmpdir(), 'autodiagnose-'))

/** SQLite, files, an emulator in this process, the tar of this system. */
export const platform: Platform = {
  async openRecords(clock) {
    const directory = await newDirectory()
    const records = await sqliteRecords({ directory, clock })
    onTestFinished(async () => {
      await records.close()
      await rm(directory, { recursive: true })
    })
    return records
  },
  async openStore() {
    const directory = await newDirectory()
    onTestFinished(() => rm(directory, { recursive: true }))
    return filesStore({ directory })
  },
  async openEmulator() {
    const { app, backend, close } = await openDemo()
    return { transport: async (request) => app.fetch(request), backend, close }
  },
  async openShellEmulator() {
    const { emulator, close } = await probeEmulator()
    return { transport: async (request) => emulator.app.fetch(request), close }
  },
  ask: async (app, path, init) => app.fetch(new Request(new URL(path, 'http://localhost'), init)),
  async untar(bundle) {
    const tar = (...args: string[]) => execFileSync('tar', args, { input: bundle, maxBuffer: 2 ** 28 })
    const paths = tar('-tzf', '-').toString().trimEnd().split('\n')
    return new Map(paths.map((path) => [path, tar('-xzOf', '-', path)]))
  },
}
