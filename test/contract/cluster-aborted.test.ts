import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Agent } from 'undici'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { ApiClient } from '../../src/ports/cluster/api-client.ts'
import { dispatch } from '../../src/ports/cluster/dispatch.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

let server: Server
let api: ApiClient
let closed = 0
const dispatcher = new Agent()

beforeAll(async () => {
  server = createServer((request, response) => {
    response.on('close', () => {
      closed += 1
    })
    // One line and then silence, as of a watch; or no answer at all, as of a log that is still empty.
    if (request.url === '/spoke') response.write('line\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const way = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, headers: [], dispatcher }
  api = new ApiClient('test', (request) => dispatch(request, undefined, way), 60_000)
})
afterAll(async () => {
  server.closeAllConnections()
  await dispatcher.destroy()
})

/** What a service that waits does now and then. */
async function idleFor(ms: number): Promise<void> {
  const until = Date.now() + ms
  while (Date.now() < until) {
    collectGarbage()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a silent stream is aborted, also after garbage was collected, and its connection closed', async () => {
  const stop = new AbortController()
  const answer = await api.open('follow', '/spoke', AbortSignal.any([stop.signal]))
  if (!answer.ok) throw new Error(answer.status.message)
  const reader = answer.value.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('line\n')
  const pending = reader.read().then(
    () => 'went on',
    (error: unknown) => error,
  )
  await idleFor(200)
  stop.abort(new Error('enough'))
  expect(await pending).toMatchObject({ message: 'enough' })
  await vi.waitFor(() => expect(closed).toBe(1))
})

test('so is a call that is not answered', async () => {
  const stop = new AbortController()
  const pending = api.open('follow', '/silent', AbortSignal.any([stop.signal])).catch((error: unknown) => error)
  await idleFor(200)
  stop.abort(new Error('enough'))
  expect(await pending).toMatchObject({ message: 'enough' })
})
