import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { isLab, needsLab, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, getPod, isReady, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'
import { useSilentServer } from './silent-server.ts'

describe('targets of every kind', () => {
  needsLab()
  const namespace = useNamespace('targets')
  const restricted = useNamespace('restricted', { 'pod-security.kubernetes.io/enforce': 'restricted' })
  const service = useService({ watched: [namespace, restricted], diagnosis: { deadlineSeconds: 30 } })
  const conforming = {
    spec: { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
    container: { securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } } },
  }
  let redmine: ReturnType<typeof redmineLab>
  const { slow } = useSilentServer()

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    await create(namespace, fruitPod('root', 'idle', { container: { securityContext: { runAsUser: 0 } } }))
    await create(namespace, fruitPod('plain', 'idle'))
    const two = ['first', 'second'].map((name) => ({ name, image: 'localhost/apples:1', args: [name === 'first' ? 'bananas' : 'idle'] }))
    await create(namespace, fruitPod('shared', 'idle', { spec: { shareProcessNamespace: true, containers: two } }))
    await create(namespace, fruitPod('crashing', 'crash'))
    for (const name of ['one', 'another']) await create(restricted, fruitPod(name, 'idle', structuredClone(conforming)))
    for (const name of ['root', 'plain', 'shared']) await podThat(namespace, name, isReady)
    for (const name of ['one', 'another']) await podThat(restricted, name, isReady)
  })
  afterAll(async () => {
    if (isLab) await redmine?.clean()
  })

  const logOf = async (id: string) => (await service.call('GET', `/v1/diagnoses/${id}/log`)).text()
  const specsOf = async (where: string, name: string) => (await getPod(where, name)).spec.ephemeralContainers ?? []
  const specOf = async (where: string, diagnosis: View) =>
    (await specsOf(where, diagnosis.pod?.name ?? '')).find(({ name }) => name === diagnosis.containers.at(-1)?.name)

  test('non-root under the restricted level: its own ids, which are found out once, and it is seen', async () => {
    const first = await service.diagnose({ pod: `${restricted}/one` })
    expect(first).toMatchObject({ outcome: 'complete' })
    expect(await logOf(first.id)).toContain('visible=yes')
    const expected = {
      runAsNonRoot: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    }
    expect((await specOf(restricted, first))?.securityContext).toMatchObject(expected)
    const { ids, profile } = first.containers.at(-1) ?? {}
    expect(profile).toBe('restricted')
    expect(await logOf(first.id)).toContain(`uid=${ids?.uid} gid=${ids?.gid} visible=yes`)

    // Another pod of the same image: known from the first.
    const second = await service.diagnose({ pod: `${restricted}/another` })
    expect(second.containers).toHaveLength(1)
    expect(second.containers[0]).toMatchObject({ profile: 'restricted', ids })
    expect(await logOf(second.id)).toContain('visible=yes')
  })

  test('root: baseline and root, which sees it without any capability more', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/root` })
    expect(diagnosis.containers).toMatchObject([{ profile: 'baseline', ids: { uid: 0, gid: 0 }, exitCode: 0, proven: true }])
    const log = await logOf(diagnosis.id)
    expect(log).toContain('uid=0 gid=0 visible=yes')
    expect((await specOf(namespace, diagnosis))?.securityContext).not.toHaveProperty('capabilities')
  })

  test('one process namespace: the target is found by its container id', async () => {
    for (const [container, listens] of [
      ['first', true],
      ['second', false],
    ] as const) {
      const diagnosis = await service.diagnose({ pod: `${namespace}/shared`, container, checks: ['processes', 'listening'] })
      expect(diagnosis).toMatchObject({ outcome: 'complete', pod: { container } })
      const { status } = await getPod(namespace, 'shared')
      const id = status.containerStatuses?.find(({ name }) => name === container)?.containerID?.replace('containerd://', '')
      const spec = await specOf(namespace, diagnosis)
      expect(spec?.args).toContain(`--target-id=${id}`)
      const log = await logOf(diagnosis.id)
      // PID 1 is the sandbox's.
      expect(log).toMatch(/# autodiagnose target pid=(?!1 )\d+ uid=65532 gid=\d+ visible=yes/)
      expect(/^# +tcp6? .*:8080 by \d+ \(app\)/m.test(log)).toBe(listens)
    }
  })

  test('crashing: a container without target starts at once, has the network, and the exit is told', async () => {
    await podThat(namespace, 'crashing', ({ status }) => status.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff')
    const diagnosis = await service.diagnose({ pod: `${namespace}/crashing`, checks: ['resolv', 'dns=kubernetes.default', 'processes'] })
    expect(diagnosis.outcome).toBe('complete')
    const spec = await specOf(namespace, diagnosis)
    expect(spec).not.toHaveProperty('targetContainerName')
    expect(spec?.args).toContain('--no-target')
    // With a target it would wait until that runs again.
    expect(Date.parse(diagnosis.containers[0]?.startedAt ?? '') - Date.parse(diagnosis.createdAt)).toBeLessThan(8000)
    const log = await logOf(diagnosis.id)
    expect(log).toMatch(/^ok \d+ - resolv\.conf: nameserver/m)
    expect(log).toMatch(/^ok \d+ - .*kubernetes\.default.* 10\.96\.0\.1/m)
    expect(log).toMatch(/^ok \d+ - .*# SKIP/m)
    const exit = diagnosis.findings.find(({ source, title }) => source === 'evidence' && /exit/i.test(title))
    expect(exit?.title).toMatch(/1/)
    expect(exit?.evidence).toContain('crash: out of fruit')
    // It runs again and again: that it did so beside us is no harm of ours.
    expect(await (await service.call('GET', '/v1/injection')).json()).toMatchObject({ paused: false, harmed: [] })
  })

  test('cancelled in the middle: sealed, told, and said that the container goes on', async () => {
    const issue = await redmine.newIssue()
    const { id } = await service.begin({ pod: `${namespace}/plain`, report: `redmine:${issue}`, checks: ['resolv', ...slow] })
    await vi.waitFor(async () => expect(await logOf(id)).toContain('# check http'), { timeout: 30_000, interval: 100 })
    const answer = await service.call('DELETE', `/v1/diagnoses/${id}`)
    expect(answer.status).toBe(202)
    expect(await answer.json()).toMatchObject({ message: expect.stringContaining('own deadline') })
    const diagnosis = await service.until(id, ({ state }) => state === 'done')
    expect(diagnosis).toMatchObject({ outcome: 'cancelled', cancelRequested: true, explanation: expect.stringContaining('own deadline') })
    const { status } = await getPod(namespace, 'plain')
    expect(status.ephemeralContainerStatuses?.[0]?.state?.running).toBeDefined()

    const link = await service.call('GET', `/v1/diagnoses/${id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    expect(bundle.text(`autodiagnose/${namespace}/plain/${id}-1-stdout.txt`)).toMatch(/^ok 1 - resolv\.conf/m)
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    expect(await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)).toMatch(/cancelled/)
    expect((await service.call('DELETE', `/v1/diagnoses/${id}`)).status).toBe(409)
  })

  test('Prefer: wait=N answers with the end, or with what there is by then', async () => {
    const request = { pod: `${namespace}/root`, checks: ['resolv'] }
    const ended = await service.call('POST', '/v1/diagnoses', request, { prefer: 'wait=60' })
    expect([ended.status, ended.headers.get('preference-applied')]).toEqual([200, 'wait=60'])
    expect(await ended.json()).toMatchObject({ state: 'done', outcome: 'complete' })
    const early = await service.call('POST', '/v1/diagnoses', { ...request, checks: slow }, { prefer: 'wait=1' })
    expect(early.status).toBe(202)
    const { id, state } = (await early.json()) as View
    expect(state).not.toBe('done')
    await service.call('DELETE', `/v1/diagnoses/${id}`)
    await service.until(id, ({ state }) => state === 'done')
  })
})
