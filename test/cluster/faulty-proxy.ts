import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Fault {
  /** Of `METHOD url`. */
  readonly match: RegExp
  /** How many matching requests it hits; later ones pass. */
  readonly times: number
  /**
   * A status to answer with instead of the server; `reset`: the connection is cut before the server is asked; `lose-answer`: it is
   * asked, and then the connection is cut.
   */
  readonly status: number | 'reset' | 'lose-answer'
  readonly body?: string
}

/** A real server with faults before it, on a port of its own. */
export async function startFaultyProxy(target: string, faults: readonly Fault[]) {
  const left = faults.map((fault) => ({ ...fault }))
  const seen: string[] = []
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method} ${incoming.url}`
    seen.push(line)
    const fault = left.find(({ match, times }) => match.test(line) && times > 0)
    if (fault) fault.times--
    if (fault?.status === 'reset') {
      incoming.socket.destroy()
      return
    }
    if (typeof fault?.status === 'number') {
      const { status, body = '<Error><Code>ServiceUnavailable</Code><Message>no</Message></Error>' } = fault
      incoming.resume().on('end', () => outgoing.writeHead(status, { 'content-type': 'application/xml' }).end(body))
      return
    }
    const forward = request(new URL(incoming.url ?? '/', target), { method: incoming.method ?? 'GET', headers: incoming.headers })
    forward.on('response', (response) => {
      if (fault?.status === 'lose-answer') {
        response.resume().on('end', () => incoming.socket.destroy())
        return
      }
      outgoing.writeHead(response.statusCode ?? 502, response.headers)
      response.pipe(outgoing)
    })
    forward.on('error', () => incoming.socket.destroy())
    outgoing.on('close', () => forward.destroy())
    incoming.pipe(forward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: seen as readonly string[],
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
