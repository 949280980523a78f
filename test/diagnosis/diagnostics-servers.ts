import { createSocket } from 'node:dgram'
import { type AddressInfo, createServer, type Server } from 'node:net'

const stop: (() => void)[] = []

export function stopServers(): void {
  for (const end of stop.splice(0)) end()
}

/** Listens on a free port of the address until {@link stopServers}. */
export async function listen(server: Server, address = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, address, resolve))
  stop.push(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A port on which nothing listens: it was free a moment ago. */
export async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** The port of a nameserver on 127.0.0.1 that never answers. */
export async function silentNameserver(): Promise<number> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  stop.push(() => socket.close())
  return socket.address().port
}

/**
 * A nameserver on 127.0.0.1 that knows addresses by full name, '' for a name without one; other names do not exist, `servfail.*` fails, `silent.*`
 * is never answered, `four.*` not for IPv6, `six.*` not for IPv4, `late.*` after 1.2 s.
 */
export async function nameserver(known: Readonly<Record<string, string>>): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const socket = createSocket('udp4', (query, from) => {
    const labels: string[] = []
    let at = 12
    for (; query[at]; at += (query[at] ?? 0) + 1) labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] ?? 0)))
    const name = labels.join('.')
    const type = query.readUInt16BE(at + 1)
    asked.push(`${name} ${type === 1 ? 'A' : 'AAAA'}`)
    if (name.startsWith('silent') || (name.startsWith('four') && type === 28) || (name.startsWith('six') && type === 1)) return
    const address = known[name]
    const code = name.startsWith('servfail') ? 2 : address === undefined ? 3 : 0
    const answers = address && type === (name.endsWith('.arpa') ? 12 : 1) ? 1 : 0
    const head = Buffer.from(query.subarray(0, at + 5))
    head.writeUInt16BE(0x8180 | code, 2)
    head.writeUInt16BE(answers, 6)
    head.fill(0, 8, 12)
    const data = type === 12 ? inLabels(address ?? '') : (address || '0.0.0.0').split('.').map(Number)
    const record = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 5, 0, data.length, ...data])
    const answer = () => socket.send(answers ? Buffer.concat([head, record]) : head, from.port, from.address)
    if (name.startsWith('late')) setTimeout(answer, 1200)
    else answer()
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  stop.push(() => socket.close())
  return { port: socket.address().port, asked }
}

function inLabels(name: string): readonly number[] {
  return [...name.split('.').flatMap((label) => [label.length, ...Buffer.from(label)]), 0]
}
