import { expect, test } from 'vitest'
import type { Transport } from '../../src/ports/cluster/cluster.ts'
import { hostileTransport, measured, podRef, podWith } from './limits-world.ts'
import { world } from './listen/world.ts'

/** Of one invocation of a Worker; a run is taken as one: https://developers.cloudflare.com/workflows/reference/limits/ */
const subrequests = 10_000
/** Of one run. */
const steps = 10_000
/** Two containers may each be waited for as long, once a second. */
const waitingForStart = 2 * 600
const waitingForTwin = 60

test('a diagnosis by two containers that print for as long as they may takes few steps, and fewer requests than one invocation may make', {
  timeout: 60_000,
}, async () => {
  const { clock } = world([])
  const pod = hostileTransport({ pod: podWith([{ name: 'app' }]) })
  /** Half a second between two lines, without an end; the first says that the container sees nothing. */
  const printing = (): ReadableStream<Uint8Array> => {
    let line = '# autodiagnose target pid=1 uid=7 gid=7 visible=no'
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          controller.enqueue(new TextEncoder().encode(`${new Date(clock.now()).toISOString()} ${line}\n`))
          line = 'still here'
          await clock.sleep(500)
        },
      },
      { highWaterMark: 0 },
    )
  }
  const transport: Transport = async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    // Where it is not followed it is given up.
    if (searchParams.get('container')?.startsWith('ad-')) return new Response(searchParams.has('follow', 'true') ? printing() : '')
    const answer = await pod(request)
    if (searchParams.has('watch') || !new RegExp(`/pods(/${podRef.name})?$`).test(pathname)) return answer
    return new Response((await answer.text()).replaceAll('"terminated"', '"running"'), answer)
  }
  const config = { diagnosis: { deadlineSeconds: 1800, startDeadlineSeconds: 600 } }
  const { diagnosis, counter, step } = await measured(transport, {}, config, clock)
  expect(diagnosis.containers).toHaveLength(2)
  // A minute each, until both are given up.
  expect(step.names.filter((name) => name.startsWith('listen-')).length).toBeGreaterThan(80)
  expect(step.names.length).toBeLessThan(steps / 50)
  expect(counter.sum('') + waitingForStart).toBeLessThan(subrequests)
})

test('with a healthy replica, in which one prints for two minutes, it takes fewer than 500 steps and no more requests than that', {
  timeout: 120_000,
}, async () => {
  const { clock } = world([])
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'cart', uid: 'u-9', controller: true }
  const replica = (name: string) =>
    podWith([{ name: 'app' }], { metadata: { name, uid: `u-${name}`, labels: { app: 'cart' }, ownerReferences: [owner] } })
  const pods = new Map([podRef.name, 'cart-twin'].map((name) => [name, hostileTransport({ pod: replica(name), name })]))
  const printing = (): ReadableStream<Uint8Array> => {
    let line = '# autodiagnose target pid=1 uid=7 gid=7 visible=no'
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          controller.enqueue(new TextEncoder().encode(`${new Date(clock.now()).toISOString()} ${line}\n`))
          line = 'still here'
          await clock.sleep(500)
        },
      },
      { highWaterMark: 0 },
    )
  }
  const transport: Transport = async (request) => {
    const { pathname, searchParams } = new URL(request.url)
    if (searchParams.get('container')?.startsWith('ad-')) return new Response(searchParams.has('follow', 'true') ? printing() : '')
    const of = /\/pods\/([^/]+)/.exec(pathname)?.[1] ?? searchParams.get('fieldSelector')?.split('=')[1] ?? podRef.name
    if (searchParams.has('labelSelector')) return Response.json({ metadata: {}, items: [replica(podRef.name), replica('cart-twin')] })
    const answer = await (pods.get(of) ?? (pods.get(podRef.name) as Transport))(request)
    if (searchParams.has('watch') || !/\/pods(\/[^/]+)?$/.test(pathname)) return answer
    return new Response((await answer.text()).replaceAll('"terminated"', '"running"'), answer)
  }
  const config = { diagnosis: { deadlineSeconds: 1800, startDeadlineSeconds: 600 } }
  const { diagnosis, counter, step } = await measured(transport, { compare: true }, config, clock)
  expect(diagnosis.containers).toHaveLength(2)
  expect(diagnosis.comparison?.twin?.name).toBe('cart-twin')
  expect(step.names.filter((name) => name.startsWith('twin-listen-')).length).toBeGreaterThan(2)
  expect(step.names.length).toBeLessThan(500)
  expect(counter.sum('') + waitingForStart + waitingForTwin).toBeLessThan(subrequests)
})
