import { env, exports } from 'cloudflare:workers'
import { unpackTar } from 'modern-tar'
import { inject } from 'vitest'
import { realClock } from '../../src/hosts/parts.ts'
import { bearerTransport } from '../../src/ports/cluster/bearer.ts'
import { d1Records } from '../../src/ports/records/d1.ts'
import { r2Store } from '../../src/ports/store/r2.ts'
import type { Platform } from '../platform/platform.ts'
import { emptyDatabase } from './database.ts'
import { appHeader, apps } from './main.ts'

/** D1, R2, and an emulator outside: see test/platform/emulators.ts. There is no tar here but the packer's own. */
export const platform: Platform = {
  openRecords: async (clock) => d1Records({ database: await emptyDatabase(), clock }),
  openStore: async () => r2Store({ bucket: env.BUCKET, prefix: `${crypto.randomUUID()}/`, clock: realClock }),
  openEmulator: () => openEmulator('/demo'),
  openShellEmulator: () => openEmulator('/shell'),
  async ask(app, path, init) {
    const id = crypto.randomUUID()
    apps.set(id, app)
    const request = new Request(new URL(path, 'http://localhost'), { redirect: 'manual', ...init })
    request.headers.set(appHeader, id)
    return exports.default.fetch(request)
  },
  async untar(bundle) {
    const entries = await unpackTar(new Blob([bundle]).stream().pipeThrough(new DecompressionStream('gzip')))
    return new Map(entries.map(({ header, data }) => [header.name, data ?? new Uint8Array()]))
  },
}

async function openEmulator(kind: '/demo' | '/shell') {
  const emulators = inject('emulators')
  const { url, backend } = (await (await fetch(emulators + kind, { method: 'POST' })).json()) as { url: string; backend: string }
  return {
    transport: bearerTransport({ name: 'main', url, token: 'unused', fetch: (request) => fetch(request), clock: realClock }),
    backend,
    async close() {
      await fetch(`${emulators}?${new URLSearchParams({ url })}`, { method: 'DELETE' })
    },
  }
}
