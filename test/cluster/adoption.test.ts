import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { isLab, kubectl, needsLab, testImage, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, getPod, isReady, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

describe('containers that people add by hand', () => {
  needsLab()
  const namespace = useNamespace('adoption')
  const unnamed = useNamespace('unnamed')
  const service = useService({
    watched: [namespace, unnamed],
    diagnosis: { deadlineSeconds: 30, image: testImage },
    adoption: [{ namespaces: [namespace], listenSeconds: 60 }],
  })
  let redmine: ReturnType<typeof redmineLab>
  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    for (const [where, name] of [
      [namespace, 'cart'],
      [unnamed, 'cart'],
    ] as const) {
      await create(where, fruitPod(name, 'idle', { container: { securityContext: { runAsUser: 1000, runAsGroup: 1000 } } }))
      await podThat(where, name, isReady)
    }
  })
  afterAll(async () => {
    if (isLab) await redmine.clean()
  })

  /** As a person types it; resolves with the name of the container. */
  async function debug(options: readonly string[], words: readonly string[], where = namespace): Promise<string> {
    const image = options.some((option) => option.startsWith('--image=')) ? [] : [`--image=${testImage}`]
    const before = (await getPod(where, 'cart')).spec.ephemeralContainers?.map(({ name }) => name) ?? []
    await kubectl(['-n', where, 'debug', 'cart', '--target=app', ...image, ...options, '--', ...words])
    const after = (await getPod(where, 'cart')).spec.ephemeralContainers?.map(({ name }) => name) ?? []
    const [name] = after.filter((one) => !before.includes(one))
    if (name === undefined) throw new Error('kubectl debug added nothing')
    return name
  }
  const all = async () => ((await (await service.call('GET', '/v1/diagnoses?limit=50')).json()) as { diagnoses: View[] }).diagnoses
  const adopted = (container: string, is: (view: View) => boolean = ({ state }) => state === 'done') =>
    vi.waitFor(
      async () => {
        const found = (await all()).filter((one) => one.adopted?.container === container)
        expect(found).toHaveLength(1)
        const [one] = found as [View]
        if (!is(one)) throw new Error(`not as awaited: ${JSON.stringify(one)}`)
        return one
      },
      { timeout: 90_000, interval: 300 },
    )
  const logOf = async ({ id }: View) => (await service.call('GET', `/v1/diagnoses/${id}/log`)).text()
  const ended = (name: string) =>
    podThat(namespace, 'cart', ({ status }) => status.ephemeralContainerStatuses?.find((one) => one.name === name)?.state?.terminated !== undefined)

  test('kubectl debug --arguments-only: its log is stored, bundled and told in the report that it names', async () => {
    const issue = await redmine.newIssue()
    const name = await debug(['--profile=restricted', '--arguments-only'], [`--report=redmine:${issue}`, 'resolv', 'dns=kubernetes.default'])
    const told = await adopted(name)
    expect(told).toMatchObject({
      outcome: 'complete',
      requester: 'alice',
      target: { kind: 'pod', namespace, name: 'cart' },
      pod: { name: 'cart', container: 'app' },
      adopted: { container: name, image: testImage, profile: 'restricted' },
      checks: [{ name: 'resolv' }, { name: 'dns', param: 'kubernetes.default' }],
      containers: [{ name, proven: true, exitCode: 0 }],
      reported: { kind: 'written' },
    })
    const log = await logOf(told)
    expect(log).toMatch(/^ok 1 - resolv\.conf/m)
    // What kubectl shows is the same.
    expect(await kubectl(['-n', namespace, 'logs', 'cart', '-c', name])).toBe(log)
    const link = await service.call('GET', `/v1/diagnoses/${told.id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    expect(bundle.text(`autodiagnose/${namespace}/cart/${name}-stdout.txt`)).toBe(log)
    expect(bundle.paths).toContain(`cluster-resources/pods/${namespace}.json`)
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    expect(await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)).toContain(told.id)
    const list = await (await service.call('GET', '/', undefined, { accept: 'text/html' })).text()
    expect(list).toContain('adopted')
  })

  test('kubectl debug with a command: the runner itself, and the service is killed in between', async () => {
    const issue = await redmine.newIssue()
    const name = await debug(['--profile=restricted'], ['/autodiagnose', `--report=redmine:${issue}`, 'cgroup', 'resolv'])
    await service.restart()
    await ended(name)
    const told = await adopted(name)
    expect(told).toMatchObject({ outcome: 'complete', containers: [{ name, proven: true }], reported: { kind: 'written' } })
    await service.restart()
    expect(await adopted(name)).toMatchObject({ id: told.id })
    expect(await redmine.notesOf(issue)).toHaveLength(1)
  })

  test('one that ended while the service was away is taken in when it is back', async () => {
    const before = (await all()).length
    // It looks again at all pods when it starts.
    const [name] = await Promise.all([debug(['--profile=restricted', '--arguments-only'], ['resolv']), service.restart()])
    await ended(name)
    expect(await adopted(name)).toMatchObject({ outcome: 'complete', containers: [{ proven: true }] })
    expect(await all()).toHaveLength(before + 1)
  })

  test('another command of the same image: stored, and said that it has no end line', async () => {
    const name = await debug(['--profile=restricted'], ['/bin/sh', '-c', 'echo hello; echo password=hunter2hunter2'])
    const told = await adopted(name)
    expect(told).toMatchObject({
      outcome: 'incomplete',
      explanation: 'the container ended without its end line',
      containers: [{ name, proven: false }],
    })
    expect(await logOf(told)).toBe('hello\npassword=***HIDDEN***\n# autodiagnose gap: the container ended without its end line\n')
  })

  test('a profile that policy does not allow, another image, and another namespace are left alone', async () => {
    const denied = await debug(['--profile=netadmin', '--arguments-only'], ['resolv'])
    await vi.waitFor(() => expect(service.log).toContain(`"container":"${denied}"`), { timeout: 60_000, interval: 300 })
    expect(service.log).toMatch(/policy denies it.*Profile \\"netadmin\\"/)
    const elsewhere = await debug(['--profile=restricted', '--arguments-only'], ['resolv'], unnamed)
    const foreign = await debug(['--profile=general', '--image=localhost/faulty:1', '--arguments-only'], ['idle'])
    const last = await debug(['--profile=restricted', '--arguments-only'], ['resolv'])
    await adopted(last)
    await service.restart()
    await adopted(last)
    const names = (await all()).map((one) => one.adopted?.container)
    for (const name of [denied, elsewhere, foreign]) expect(names).not.toContain(name)
    // What it said before it was killed is not in its new log.
    expect(service.log).not.toContain(`"container":"${denied}"`)
  })

  test('what the service adds by itself is no second diagnosis', async () => {
    const before = (await all()).length
    await service.diagnose({ pod: `${namespace}/cart`, checks: ['resolv'] })
    const name = await debug(['--profile=restricted', '--arguments-only'], ['resolv'])
    await adopted(name)
    expect(await all()).toHaveLength(before + 2)
  })
})
