import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, isReady, logThat, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

const password = 'made-up-Passw0rd-of-the-orchard'

/** The same trouble under other names: a pod that may call nothing that is built in. */
describe('whatever the backend is called, and wherever its URL stands', () => {
  needsLab()
  const namespace = useNamespace('renamed')
  const service = useService({ watched: [namespace] })
  let redmine: ReturnType<typeof redmineLab>
  const url = `http://stock-keeper.${namespace}:9180`

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    await create(namespace, {
      kind: 'Service',
      metadata: { name: 'stock-keeper' },
      spec: { selector: { app: 'cellar' }, ports: [{ port: 9180 }] },
    })
    const listen = { env: [{ name: 'LISTEN', value: ':9180' }] }
    await create(namespace, fruitPod('cellar-0', 'bananas', { metadata: { labels: { app: 'cellar' } }, container: listen }))
    // In the environment of a program that says nothing.
    const env = [
      { name: 'STOCK_URL', value: `${url}/v2/levels?token=made-up` },
      { name: 'STOCK_PASSWORD', value: password },
    ]
    await create(namespace, fruitPod('by-env', 'idle', { container: { name: 'till', env } }))
    // In its log alone: the address comes from a ConfigMap, whose values the service may not read.
    await create(namespace, { kind: 'ConfigMap', metadata: { name: 'shop' }, data: { backend: 'http://stock-keeper:9180/' } })
    const fromMap = [{ name: 'BANANAS_URL', valueFrom: { configMapKeyRef: { name: 'shop', key: 'backend' } } }]
    await create(namespace, fruitPod('by-log', 'apples', { container: { name: 'till', env: fromMap } }))
    // Said by its owners.
    const annotations = { 'autodiagnose.dev/checks': `tcp=stock-keeper:9180, http=http://stock-keeper:9180/health` }
    await create(namespace, fruitPod('by-annotation', 'idle', { metadata: { annotations } }))
    await create(namespace, fruitPod('two', 'idle', { spec: { containers: twoContainers } }))
    for (const pod of ['cellar-0', 'by-env', 'by-log', 'by-annotation', 'two']) await podThat(namespace, pod, isReady)
    await logThat(namespace, 'by-log', '500 Internal Server Error')
  })
  afterAll(async () => {
    if (isLab) await redmine?.clean()
  })

  const logOf = async (id: string) => (await service.call('GET', `/v1/diagnoses/${id}/log`)).text()

  test('in the environment: found, and no value of a variable leaves the pod', async () => {
    const issue = await redmine.newIssue()
    const reason = 'Levels are *missing* <b>since noon</b>'
    const diagnosis = await service.diagnose({ pod: `${namespace}/by-env`, report: `redmine:${issue}`, reason })
    expect(diagnosis).toMatchObject({ outcome: 'complete', pod: { container: 'till' } })
    expect(diagnosis.findings).toContainEqual(
      expect.objectContaining({ title: expect.stringMatching(/stock-keeper\.\S+:9180.* 500 Internal Server Error/), source: 'container' }),
    )
    const archive = await (await service.call('GET', `/v1/diagnoses/${diagnosis.id}/bundle`)).headers.get('location')
    const bundle = await openBundle(await (await fetch(archive ?? '')).arrayBuffer())
    expect(bundle.all).not.toContain(password)
    expect(bundle.all).not.toContain('made-up')
    expect(bundle.all).toContain('STOCK_PASSWORD')
    expect(diagnosis.redactions['env-literal']).toBe(2)
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    const note = await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)
    expect(note).toContain(reason)
    expect(note).toMatch(/stock-keeper\.\S+:9180.* 500 Internal Server Error/)
    expect(note).not.toContain('made-up')
  })

  test('in its log alone', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/by-log` })
    expect(diagnosis.outcome).toBe('complete')
    expect(diagnosis.findings.map(({ title }) => title)).toContainEqual(
      expect.stringMatching(/http:\/\/stock-keeper:9180.* 500 Internal Server Error/),
    )
    expect(await logOf(diagnosis.id)).toMatch(/^ok \d+ - .*stock-keeper.*10\.96\./m)
  })

  test('in annotations', async () => {
    const diagnosis = await service.diagnose({ pod: `${namespace}/by-annotation` })
    expect(diagnosis.outcome).toBe('complete')
    const log = await logOf(diagnosis.id)
    expect(log).toMatch(/^ok \d+ - .*stock-keeper.*9180/m)
    expect(log).toMatch(/^not ok \d+ - .*http:\/\/stock-keeper:9180\/health.* 500/m)
  })

  test('a label selector picks the pod, and a container is chosen by name', async () => {
    const diagnosis = await service.diagnose({ selector: `${namespace}/app=cellar` })
    expect(diagnosis).toMatchObject({ outcome: 'complete', pod: { name: 'cellar-0' } })
    expect(await logOf(diagnosis.id)).toMatch(/^# +tcp6? .*:9180 by 1 /m)

    const second = await service.diagnose({ pod: `${namespace}/two`, container: 'second', checks: ['processes'] })
    expect(second).toMatchObject({ outcome: 'complete', pod: { container: 'second' } })
    const { spec } = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', 'two', '-o', 'json']))
    for (const added of spec.ephemeralContainers) expect(added.targetContainerName).toBe('second')
  })
})

const idle = { image: 'localhost/apples:1', args: ['idle'] }
const twoContainers = [
  { name: 'first', ...idle },
  { name: 'second', ...idle, securityContext: { runAsUser: 4711, runAsGroup: 4712 } },
]
