import { expect, it } from 'vitest'
import type { Site } from '../chaos/site.ts'
import { useWorld } from '../chaos/world.ts'

const world = useWorld()
const lines = 700
const kills = 5
const numbered = (text: string) => text.match(/^# line \d{6}/gm) ?? []

/** Follows the log until it has more than `count` numbered lines, or ends; what was read. The connection is left open. */
async function follow(site: Site, id: string, count: number): Promise<string> {
  const { body } = await site.call('GET', `/v1/diagnoses/${id}/log?follow`)
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  while (numbered(text).length <= count) {
    const next = await reader?.read()
    if (!next || next.done) break
    text += next.value
  }
  // Its end is the service's: killed, and no business of this test any more.
  reader?.closed.catch(() => undefined)
  return text
}

it('a log that is followed live while the service is killed has every line once', { timeout: 90_000 }, async () => {
  const site = await world.newSite('printer')
  try {
    const pod = await world.newPod()
    site.startMain()
    // 14 s of output.
    const { id } = await site.ask({ pod: `chaos/${pod}`, checks: [`print=${lines}x20`] }, 'key-1')
    const seen: string[] = []
    while (seen.length < kills && numbered(seen.at(-1) ?? '').length < lines) {
      // Each life of the service brings lines that no other has.
      seen.push(await follow(site, id, numbered(seen.at(-1) ?? '').length))
      expect(await site.service?.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
      site.startMain()
    }
    const whole = await follow(site, id, Number.POSITIVE_INFINITY)
    expect(await site.untilDone(id)).toMatchObject({ outcome: 'complete', containers: [{ proven: true, gaps: [] }] })
    const log = await (await site.call('GET', `/v1/diagnoses/${id}/log`)).text()

    expect(numbered(log)).toEqual(Array.from({ length: lines }, (_, n) => `# line ${String(n + 1).padStart(6, '0')}`))
    expect(whole.startsWith(`${log}\n# outcome: complete\n`)).toBe(true)
    // What was seen once has never changed.
    expect(seen.map((text) => log.startsWith(text))).toEqual(seen.map(() => true))
    // On a slow machine the lives are longer than the output.
    expect(seen.filter((text) => numbered(text).length > 0 && numbered(text).length < lines).length).toBeGreaterThanOrEqual(2)
  } finally {
    await site.stop()
  }
})
