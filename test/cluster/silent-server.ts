import type { AddressInfo } from 'node:net'
import { createServer, type Server } from 'node:net'
import { afterAll, beforeAll } from 'vitest'
import { isLab, labVariable } from './environment.ts'

/** A server that pods reach, accepts, and never answers: each of these checks takes its whole patience of 5 s. */
export function useSilentServer(): { readonly slow: readonly string[] } {
  let server: Server | undefined
  const checks: string[] = []
  beforeAll(async () => {
    if (!isLab) return
    const listening = createServer(() => undefined)
    server = listening
    await new Promise<void>((resolve) => listening.listen(0, labVariable('LAB_GATEWAY'), resolve))
    const { port } = listening.address() as AddressInfo
    for (const path of ['a', 'b', 'c', 'd']) checks.push(`http=http://${labVariable('LAB_GATEWAY')}:${port}/${path}`)
  })
  afterAll(() => {
    server?.close()
  })
  return { slow: checks }
}
