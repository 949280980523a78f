import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { add, hasEnded, isRunning, probeEmulator } from './emulator-probe.ts'

type Probe = Awaited<ReturnType<typeof probeEmulator>>
let probe: Probe
const ask: Probe['ask'] = (...args) => probe.ask(...args)
const patch: Probe['patch'] = (...args) => probe.patch(...args)

beforeAll(async () => {
  probe = await probeEmulator()
})
afterAll(() => probe.close())

describe('containers', () => {
  it('end with the exit code of their process, and the pod with them', async () => {
    probe.run('ends', 'echo out; exit 3', { restartPolicy: 'Never' })
    const pod = await probe.until('ends', (now) => now.status.phase === 'Failed')
    expect(pod.status.containerStatuses?.[0]?.state?.terminated).toMatchObject({ exitCode: 3, reason: 'Error' })
  })

  it('are restarted, with the log of the run before', async () => {
    probe.run('crashes', 'echo run; sleep 0.1; exit 1')
    const pod = await probe.until('crashes', (now) => now.status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')
    expect(pod.status.containerStatuses?.[0]).toMatchObject({ restartCount: 1, lastState: { terminated: { exitCode: 1 } } })
    expect(await (await ask('/crashes/log?previous=true')).text()).toBe('run\n')
  })

  it('get TERM when the pod is deleted, and KILL after the grace period', async () => {
    probe.run('deaf', "trap 'echo TERM' TERM; echo ready; while :; do sleep 0.05; done")
    await probe.until('deaf', isRunning)
    const log = (await ask('/deaf/log?follow=true')).body
      ?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
      .getReader()
    expect((await log?.read())?.value).toBe('ready\n')
    await ask('/deaf', { method: 'DELETE' })
    const events = await (await ask('?watch=1&fieldSelector=metadata.name%3Ddeaf&timeoutSeconds=3')).text()
    const last = JSON.parse(events.trim().split('\n').at(-1) ?? '')
    expect([last.type, last.object.status.containerStatuses[0].state.terminated.exitCode]).toEqual(['DELETED', 137])
    expect((await log?.read())?.value).toBe('TERM\n')
    expect((await ask('/deaf')).status).toBe(404)
  })

  it('wait with the reason when they cannot start', async () => {
    probe.run('target', 'exec sleep 60')
    await probe.until('target', isRunning)
    await patch('target', add({ name: 'pull', image: 'localhost/none:1' }))
    const pod = await probe.until('target', (now) => now.status.ephemeralContainerStatuses?.[0]?.state?.waiting?.reason === 'ErrImagePull')
    expect(pod.status.ephemeralContainerStatuses?.[0]?.state?.waiting?.message).toContain('localhost/none:1')
    const { message } = await (await ask('/target/log?container=pull')).json()
    expect(message).toBe('container "pull" in pod "target" is waiting to start: image can\'t be pulled')
  })

  it('leave no process behind', async () => {
    const marker = `6${process.pid}`
    probe.run('family', `sleep ${marker} & sleep ${marker} & echo $! ; wait`)
    await probe.until('family', isRunning)
    const stream = (await ask('/family/log?follow=true')).body?.getReader()
    const pid = Number(new TextDecoder().decode((await stream?.read())?.value))
    expect(() => process.kill(pid, 0)).not.toThrow()
    await ask('/family', { method: 'DELETE' })
    while (!(await stream?.read())?.done);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), 5000)
  })

  it('are measured', async () => {
    const { containers } = await (await ask('http://x/apis/metrics.k8s.io/v1beta1/namespaces/probe/pods/target')).json()
    expect(containers).toEqual([{ name: 'app', usage: { memory: expect.stringMatching(/^[1-9]\d+Ki$/) } }])
  })
})

describe('logs', () => {
  const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /g
  it('have nanoseconds, join long lines and keep bytes and a missing newline', async () => {
    probe.run('lines', "printf 'first\\n'; head -c 40000 /dev/zero | tr '\\0' x; printf '\\n\\377\\nlast'", { restartPolicy: 'Never' })
    await probe.until('lines', hasEnded('app'))
    const text = Buffer.from(await (await ask('/lines/log?timestamps=true')).arrayBuffer()).toString('latin1')
    expect(text.match(time)).toHaveLength(4)
    expect(text.replace(time, '')).toBe(`first\n${'x'.repeat(40_000)}\n\xff\nlast`)
  })

  it('can be cut by lines, bytes and time', async () => {
    probe.run('cuts', 'echo one; sleep 1.1; echo two; echo three', { restartPolicy: 'Never' })
    await probe.until('cuts', hasEnded('app'))
    const get = async (query: string) => (await ask(`/cuts/log?${query}`)).text()
    expect([await get('tailLines=1'), await get('tailLines=0'), await get('limitBytes=5')]).toEqual(['three\n', '', 'one\nt'])
    const second = (await get('timestamps=true')).split('\n')[1]?.slice(0, 19)
    // A fraction is dropped, as on the way to a real kubelet.
    expect(await get(`sinceTime=${second}.999999999Z`)).toBe('two\nthree\n')
    expect(await get('sinceTime=2100-01-01T00:00:00Z')).toBe('')
  })
})
