import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProject } from 'vitest/node'

/** What the first segment of a path has the server do, whatever follows it. */
const faults: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'cut-before': (response) => void response.destroy(),
  'cut-inside': (response) => void response.writeHead(200, { 'content-length': 1000 }).write('{"kind":', () => response.destroy()),
  silent: () => undefined,
  'silent-inside': (response) => void response.writeHead(200).write('2026-01-02T03:04:05.000000000Z ok 1\n'),
  away: (response) => void response.writeHead(503, { 'retry-after': '7' }).end('away'),
  followed: (response) => void response.end(),
  redirect: (response) => void response.writeHead(307, { location: '/followed' }).end(),
}

/** A server on the loopback that fails as asked, for tests in workerd. /seen tells how many answers it began and were closed, by segment. */
export default async function (project: TestProject): Promise<() => Promise<void>> {
  const seen: Record<string, { asked: number; closed: number }> = {}
  const server = createServer((request, response) => {
    const name = request.url?.split('/')[1] ?? ''
    if (name === 'seen') return void response.end(JSON.stringify(seen))
    seen[name] ??= { asked: 0, closed: 0 }
    const count = seen[name]
    count.asked += 1
    response.on('close', () => {
      count.closed += 1
    })
    request.resume()
    request.on('end', () => faults[name]?.(response))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  project.provide('faultyServer', `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  return async () => {
    server.close()
    server.closeAllConnections()
  }
}
