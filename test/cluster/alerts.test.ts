import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { added, alert, alertsAt, deliveries, deliverTo, scrape, usePatients } from './alert-lab.ts'
import { isLab, labVariable, needsLab } from './environment.ts'
import { renderedDescription, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

/** Long enough for two alerts that come at once, and short enough to wait for. */
const cooldownSeconds = 12

afterAll(async () => {
  if (isLab) await deliverTo()
})

describe.each(['Node', 'Workers'] as const)('what the Alertmanagers of the lab deliver, on %s', (host) => {
  needsLab()
  const run = randomBytes(4).toString('hex')
  const [down, recurring, killed, fleet] = [`down-${run}`, `recurring-${run}`, `killed-${run}`, `fleet-${run}`]
  const patients = usePatients([down, recurring, killed], fleet)
  const service = useService({
    host,
    watched: ['fruit'],
    alerts: {
      rule: { namespaces: ['fruit'] },
      intake: { quietSeconds: 2, podCooldownSeconds: 0, workloadCooldownSeconds: cooldownSeconds },
      reports: { routes: [{ match: { namespace: 'fruit' }, tracker: 'redmine', project: 'apples' }] },
    },
  })
  let world: ReturnType<typeof alertsAt>
  let twins: readonly string[] = []
  let diagnosis: View

  beforeAll(async () => {
    if (!isLab) return
    world = alertsAt(service)
    await deliverTo(service)
    twins = await patients.twins()
  })
  afterAll(async () => {
    if (!isLab) return
    await Promise.all((await world.issuesAbout(run)).map(({ id }) => world.redmine.deleteIssue(String(id))))
  })

  test.concurrent('Prometheus rule → Alertmanager → diagnosis → Redmine', async () => {
    await scrape(down, true)
    diagnosis = await world.diagnosed('PodDown', down)

    expect(diagnosis).toMatchObject({ outcome: 'complete', requester: 'alertmanager', alert: { name: 'PodDown', source: 'alertmanager' } })
    expect(await added(down)).toEqual([`${diagnosis.id}-1`])
    const [issue, ...more] = await world.issuesAbout(down)
    expect(more).toEqual([])
    expect(String(issue?.id)).toBe(diagnosis.report?.key)
    expect(issue?.subject).toMatch(new RegExp(`^PodDown fruit/${down}: .*http://bananas:8080.* 500 Internal Server Error`))

    const { url, notesOf } = world.redmine
    const key = String(issue?.id)
    const description = await renderedDescription(url, key)
    expect(description).toMatch(/http:\/\/bananas:8080.* 500 Internal Server Error/)
    expect(description).toContain(`${down} in fruit does not answer`)
    expect(description).toContain('Prometheus cannot read the metrics')
    expect(description).toContain('https://runbooks.example.net/pod-down')
    expect(description).toContain(`${labVariable('LAB_PROMETHEUS_URL')}/graph?g0.expr=up%7Bjob%3D%22pods%22%7D+%3D%3D+0`)
    const notes = await notesOf(key)
    expect(notes).toHaveLength(1)
    const note = await renderedNote(url, key, notes[0]?.id ?? 0)
    expect(note).toMatch(/http:\/\/bananas:8080.* 500 Internal Server Error/)
    expect(note).toContain(`${service.url}/diagnoses/${diagnosis.id}`)

    await scrape(down, false)
    const [told] = await world.notesWith(key, 'Resolved')
    expect(await renderedNote(url, key, told?.id ?? 0)).toContain(`Resolved: PodDown of pod fruit/${down}`)
  })

  test.concurrent('a trouble that comes back reopens the issue that somebody closed, with another note', async () => {
    const { changeIssue, issueOf, call, notesOf } = world.redmine
    await alert('alert', recurring, 'PodSlow')
    const first = await world.diagnosed('PodSlow', recurring)
    const key = first.report?.key ?? ''
    await alert('resolve', recurring, 'PodSlow')
    await world.notesWith(key, 'Resolved')
    const { issue_statuses: statuses } = await call('GET', '/issue_statuses.json')
    const closed = (statuses as unknown as readonly { readonly id: number; readonly is_closed: boolean }[]).find(({ is_closed }) => is_closed)
    await changeIssue(key, { status_id: closed?.id })
    expect((await issueOf(key)).status.is_closed).toBe(true)

    const over = Date.parse(first.createdAt) + cooldownSeconds * 1000
    await vi.waitUntil(() => Date.now() > over, { timeout: cooldownSeconds * 1000, interval: 250 })
    await alert('alert', recurring, 'PodSlow')
    const second = await world.diagnosed('PodSlow', recurring, 2)
    expect(second.id).not.toBe(first.id)
    expect(second.report).toEqual(first.report)
    expect((await issueOf(key)).status.is_closed).toBe(false)
    expect(await world.issuesAbout(recurring)).toHaveLength(1)
    const notes = await notesOf(key)
    for (const { id } of [first, second]) expect(notes.filter((note) => note.notes.includes(`/diagnoses/${id}`))).not.toEqual([])
    expect(notes.filter((note) => note.notes.includes('500 Internal Server Error'))).toHaveLength(2)
    expect(await added(recurring)).toEqual([`${first.id}-1`, `${second.id}-1`])
  })

  test.concurrent('another pod of the workload with the same alert gets no container, and the API says what stands for it', async () => {
    for (const pod of twins) await alert('alert', pod, 'PodLost')
    const alerts = await world.settled('PodLost', twins, 2)
    const one = alerts.find(({ outcome }) => outcome === 'diagnosed')
    const other = alerts.find(({ outcome }) => outcome === 'suppressed')
    expect(other).toMatchObject({ suppression: 'same-trouble', diagnosis: one?.diagnosis, trouble: one?.trouble, workload: `deployment/${fleet}` })
    expect(other?.message).toContain(one?.diagnosis)
    await service.until(one?.diagnosis ?? '', ({ state }) => state === 'done')
    expect(await added(one?.labels.pod ?? '')).toEqual([`${one?.diagnosis}-1`])
    expect(await added(other?.labels.pod ?? '')).toEqual([])
    expect(await world.issuesAbout(fleet)).toHaveLength(1)
  })

  test('HA pair delivers twice → one container, one note', async () => {
    // What the tests above had each of the two send: the rule fired and ended, PodSlow fired, ended and fired, PodLost fired for two pods.
    const both = await vi.waitFor(
      async () => {
        const counts = await deliveries()
        if (counts.some(({ sent }) => !(sent >= 7))) throw new Error(`the pair did not deliver twice: ${JSON.stringify(counts)}`)
        return counts
      },
      { timeout: 30_000, interval: 250 },
    )
    expect(both.map(({ failed }) => failed)).toEqual([0, 0])
    expect(await world.alertsOf('PodDown', [down])).toMatchObject([{ outcome: 'diagnosed', diagnosis: diagnosis.id, resolvedAt: expect.any(String) }])
    expect(await added(down)).toEqual([`${diagnosis.id}-1`])
    expect(await world.issuesAbout(down)).toHaveLength(1)
    const notes = (await world.redmine.notesOf(diagnosis.report?.key ?? '')).map(({ notes }) => notes)
    expect(notes).toEqual([expect.stringContaining(diagnosis.id), expect.stringContaining('Resolved')])
  })

  test('kill -9 right after the answer to the webhook: one container, one issue, one note', async () => {
    const labels = { alertname: 'PodLate', namespace: 'fruit', pod: killed }
    const alerts = [{ status: 'firing', labels, annotations: {}, startsAt: new Date().toISOString(), fingerprint: run.repeat(2) }]
    const answer = await fetch(`${service.url}/v1/webhooks/alertmanager`, {
      method: 'POST',
      headers: { authorization: `Bearer ${labVariable('LAB_WEBHOOK_TOKEN')}`, 'content-type': 'application/json' },
      body: JSON.stringify({ version: '4', status: 'firing', receiver: 'autodiagnose', alerts }),
    })
    expect(answer.status).toBe(202)
    await service.restart()

    const [kept] = await world.settled('PodLate', [killed], 1)
    const id = kept?.diagnosis ?? ''
    await service.sweep(id)
    const after = await service.until(id, ({ state }) => state === 'done')
    expect(after).toMatchObject({ outcome: 'complete', reported: { kind: 'written' } })
    expect(await added(killed)).toEqual([`${id}-1`])
    expect(await world.issuesAbout(killed)).toHaveLength(1)
    expect(await world.redmine.notesOf(after.report?.key ?? '')).toHaveLength(1)
  })
})
