import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ReadableStream } from 'node:stream/web'
import { getRequestListener } from '@hono/node-server'
import type { TestProject } from 'vitest/node'
import { probeEmulator } from '../contract/emulator-probe.ts'
import { openDemo } from './demo.ts'

/**
 * Before the tests in workerd, where no process can be started: a server on the loopback that makes emulators, which listen there, too.
 * POST to /demo or /shell answers with the URLs of a new one and of the demo's backend; DELETE with the first in its query closes it.
 */
export default async function (project: TestProject): Promise<() => Promise<void>> {
  const open = new Map<string, () => Promise<void>>()

  const make = async (kind: string): Promise<Response> => {
    const made = kind === '/shell' ? await openShell() : await openDemo()
    const { url, close } = await listen(async (request) => untilAborted(await made.app.fetch(request), request.signal))
    open.set(url, async () => {
      await close()
      await made.close()
    })
    return Response.json({ url, backend: made.backend })
  }
  const close = async (url: string): Promise<Response> => {
    await open.get(url)?.()
    return new Response(null, { status: open.delete(url) ? 204 : 404 })
  }
  const door = await listen(({ method, url }) => {
    const { pathname, searchParams } = new URL(url)
    return method === 'POST' ? make(pathname) : close(searchParams.get('url') ?? '')
  })
  project.provide('emulators', door.url)
  return async () => {
    await door.close()
    await Promise.all([...open.values()].map((end) => end()))
  }
}

async function openShell() {
  const { emulator, close } = await probeEmulator()
  return { app: emulator.app, backend: undefined, close }
}

/** The emulator breaks an answer off whose reader has gone; the server would print that as an error. */
function untilAborted(response: Response, signal: AbortSignal): Response {
  const { body } = response
  if (!body) return response
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* body as AsyncIterable<Uint8Array>
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
  return new Response(ReadableStream.from(pieces()) as BodyInit, response)
}

async function listen(answer: (request: Request) => Response | Promise<Response>): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createServer(getRequestListener(answer, { overrideGlobalObjects: false })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
