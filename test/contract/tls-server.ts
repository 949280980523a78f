import { readFileSync } from 'node:fs'
import { createServer as createPlainServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer } from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

export const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}.pem`, import.meta.url), 'utf8')

/** What arrived. */
export interface Arrived {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** The common name of the client's certificate. */
  readonly client: string | undefined
  /** Which connection it came by, counted from 1. */
  readonly connection: number
}

export interface Recorder {
  readonly port: number
  readonly arrived: Arrived[]
  close(): Promise<void>
}

/** A server that remembers what it is asked, and answers with the status that `answer` gives; `plain` without TLS. */
export async function recordingServer(
  kind: 'server' | 'named' | 'plain',
  answer: (arrived: Arrived) => { readonly status: number; readonly location?: string } = () => ({ status: 200 }),
): Promise<Recorder> {
  const arrived: Arrived[] = []
  const connections = new Map<object, number>()
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const socket = request.socket as TLSSocket
    if (!connections.has(socket)) connections.set(socket, connections.size + 1)
    const one: Arrived = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
      client: socket.getPeerCertificate?.()?.subject?.CN as string | undefined,
      connection: connections.get(socket) ?? 0,
    }
    arrived.push(one)
    const { status, location } = answer(one)
    response.writeHead(status, { 'content-type': 'application/json', ...(location ? { location } : {}) }).end('{"major":"1"}')
  }
  const server =
    kind === 'plain'
      ? createPlainServer(listener)
      : createServer({ cert: pem(kind), key: pem(`${kind}-key`), ca: pem('ca'), requestCert: true, rejectUnauthorized: false }, listener)
  return { ...(await listen(server)), arrived }
}

/** A proxy for CONNECT that remembers where to it was asked to connect. */
export async function connectProxy() {
  const asked: string[] = []
  const server = createPlainServer()
  server.on('connect', (request: IncomingMessage, socket: Socket) => {
    asked.push(request.url ?? '')
    const [, port] = (request.url ?? '').split(':')
    join(socket, Number(port), () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'))
  })
  return { ...(await listen(server)), asked }
}

/** A SOCKS 5 proxy without authentication (RFC 1928), for names and IPv4 addresses. */
export async function socksProxy() {
  const asked: string[] = []
  const server = createTcpServer((socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([5, 0]))
      socket.once('data', (request) => {
        const isName = request[3] === 3
        const host = isName ? request.subarray(5, 5 + (request[4] ?? 0)).toString() : [...request.subarray(4, 8)].join('.')
        const port = request.readUInt16BE(request.length - 2)
        asked.push(`${host}:${port}`)
        join(socket, port, () => socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])))
      })
    })
  })
  return { ...(await listen(server)), asked }
}

function join(socket: Socket, port: number, connected: () => void): void {
  const onward = connect(port, '127.0.0.1', () => {
    connected()
    socket.pipe(onward).pipe(socket)
  })
  for (const one of [socket, onward]) one.on('error', () => one.destroy())
}

async function listen(server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
