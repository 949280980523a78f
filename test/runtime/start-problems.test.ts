import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import { startService } from '../../src/hosts/node.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'start-problems-'))
  writeFileSync(join(directory, 'file'), '')
})
afterAll(() => rmSync(directory, { recursive: true }))

const start = (change: Partial<ConfigInput>) =>
  startService({
    config: configSchema.parse({
      publicUrl: 'https://d.example',
      listen: { port: 0 },
      state: join(directory, `state-${createHash('sha256').update(JSON.stringify(change)).digest('hex').slice(0, 8)}`),
      clusters: { main: { emulator: { directory: join(directory, 'cluster') } } },
      store: { kind: 'files', directory: join(directory, 'store') },
      ...change,
    }),
    secret: () => 'made-up',
  })

test('the state directory is a file', async () => {
  await expect(start({ state: join(directory, 'file') })).rejects.toThrow(`Cannot start with state "${join(directory, 'file')}": EEXIST`)
})

test('there is no such kubeconfig', async () => {
  const missing = join(directory, 'no-kubeconfig')
  await expect(start({ clusters: { main: { kubeconfig: missing } } })).rejects.toThrow(/^Cannot start with clusters "main": .*no-kubeconfig/)
})

test('the port is taken', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await expect(start({ listen: { port } })).rejects.toThrow(`Cannot start with listen "127.0.0.1:${port}": listen EADDRINUSE`)
  server.close()
})
