import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { View } from '../../src/api/view.ts'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import { needs } from '../needs.ts'
import { launch, openTab } from '../pages/serve.ts'
import { callsOf } from './audit.ts'
import { isLab, kubectl, labVariable, needsLab } from './environment.ts'
import { type Bundle, listObjects, openBundle } from './lab-store.ts'
import { createApples, kubectlAgain, podThat } from './pods.ts'
import { type RedmineNote, redmineLab, renderedNote } from './redmine-lab.ts'
import { type LabService, useService } from './service.ts'

/** A line of what curl printed, and when it came. */
interface Arrival {
  readonly text: string
  readonly atMs: number
}

describe.each(['Node', 'Workers'] as const)('one curl has a pod without a shell diagnosed, on %s', (host) => {
  needsLab()
  const service = useService({ watched: ['fruit'], host })
  const pod = `apples-${randomBytes(5).toString('hex')}`
  const began = new Date().toISOString()
  let redmine: ReturnType<typeof redmineLab>
  let issue = ''
  let before: RawPod
  let arrivals: readonly Arrival[] = []
  let output = ''
  let stateAtFirstLine = ''
  let diagnosis: View
  let notes: readonly RedmineNote[] = []
  let bundle: Bundle

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    issue = await redmine.newIssue()
    before = await createApples(pod)
    const literal = `curl -N -H "Authorization: Bearer $TOKEN" -d pod=fruit/${pod} -d report=redmine:${issue} "$URL/v1/diagnoses?follow"`
    arrivals = await runLive(literal, service, async (id) => {
      stateAtFirstLine = (await service.get(id)).state
    })
    output = arrivals.map(({ text }) => text).join('\n')
    diagnosis = await service.get(idIn(output))
    notes = await redmine.notesOf(issue)
  })
  afterAll(async () => {
    if (!isLab) return
    await kubectlAgain(['-n', 'fruit', 'delete', 'pod', pod, '--wait=false', '--ignore-not-found'])
    await redmine?.clean()
  })

  test('whoever asks may neither exec nor attach, nor read logs, nor add a container', async () => {
    const mayI = async (verb: string, subresource: string) => {
      const args = ['--kubeconfig', labVariable('LAB_KUBECONFIG_OPS'), '-n', 'fruit', 'auth', 'can-i', verb, 'pods', `--subresource=${subresource}`]
      // "no" comes with an exit code.
      return (await kubectl(args).catch((error: { stdout: string }) => error.stdout)).trim()
    }
    expect(await mayI('create', 'exec')).toBe('no')
    expect(await mayI('create', 'attach')).toBe('no')
    expect(await mayI('get', 'log')).toBe('no')
    expect(await mayI('patch', 'ephemeralcontainers')).toBe('no')
    expect(await mayI('get', '')).toBe('yes')
    // There is nothing in the pod to exec anyway.
    await expect(kubectl(['-n', 'fruit', 'exec', pod, '--', 'sh', '-c', 'true'])).rejects.toThrow(/sh/)
  })

  test('lines arrive live, while the diagnosis goes on', () => {
    const first = arrivals.findIndex(({ text }) => text === 'TAP version 14')
    expect(first).toBeGreaterThan(0)
    expect(['listening', 'injecting']).toContain(stateAtFirstLine)
    const at = (found: RegExp) => arrivals.find(({ text }) => found.test(text))?.atMs ?? Number.NaN
    // The note and the bundle come behind the last line of the container.
    expect(at(/^# outcome/) - at(/^TAP version 14$/)).toBeGreaterThan(300)
    expect(at(/^# diagnosis ad-/)).toBeLessThan(at(/^TAP version 14$/))
  })

  test('the output has processes, DNS, the 500 with details, and the links', () => {
    expect(output).toMatch(/^ok \d+ - .*process/m)
    expect(output).toMatch(/^# +1 +S +0 +65532 .* app$/m)
    expect(output).toMatch(/^ok \d+ - .*bananas.*10\.96\.\d+\.\d+/m)
    expect(output).toMatch(/^not ok \d+ - .*http:\/\/bananas:8080.* 500 Internal Server Error/m)
    const details = /^not ok \d+ - .*500 Internal Server Error.*\n {2}---\n((?: {2}.*\n)+?) {2}\.\.\./m.exec(output)?.[1] ?? ''
    expect(details).toMatch(/severity: error/)
    expect(details).toMatch(/connected to 10\.96\.\d+\.\d+:8080[\s\S]*status 500 Internal Server Error/)
    expect(output).toMatch(/^1\.\.\d+$/m)
    expect(output).toMatch(/^# autodiagnose end lines=\d+ bytes=\d+$/m)
    expect(output).toMatch(/^# outcome: complete$/m)
    expect(output).toMatch(new RegExp(`^# diagnosis: ${service.url}/diagnoses/ad-[0-9a-z]{20}$`, 'm'))
    expect(output).toMatch(new RegExp(`^# bundle: ${service.url}/v1/diagnoses/ad-[0-9a-z]{20}/bundle$`, 'm'))
    expect(output).toMatch(new RegExp(`^# report: ${redmine.url}/issues/${issue}#`, 'm'))
  })

  test('Kubernetes has one container without input or rights, ended well, and the target as it was', async () => {
    const after = await podThat('fruit', pod, ({ status }) => status.ephemeralContainerStatuses?.every(({ state }) => state?.terminated) ?? false)
    const added = after.spec.ephemeralContainers ?? []
    const names = diagnosis.containers.map(({ name }) => name)
    expect(added.map(({ name }) => name).sort()).toEqual(names)
    for (const one of added) {
      expect(one).toMatchObject({ image: 'localhost/autodiagnose:1', targetContainerName: 'apples' })
      for (const key of ['stdin', 'tty', 'env', 'command', 'volumeMounts']) expect(one).not.toHaveProperty(key)
    }
    const last = added.find(({ name }) => name === names.at(-1))
    expect(last?.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      capabilities: { drop: ['ALL'] },
      allowPrivilegeEscalation: false,
    })
    expect(after.status.ephemeralContainerStatuses?.map(({ state }) => state?.terminated?.exitCode)).toEqual(added.map(() => 0))
    expect(after.status.containerStatuses?.[0]).toEqual(before.status.containerStatuses?.[0])
  })

  test('the API server saw neither exec nor attach, and one PATCH for each container', async () => {
    const calls = await callsOf(service.user, began)
    expect(calls.length).toBeGreaterThan(4)
    expect(calls.filter(({ resource }) => /exec|attach|portforward|proxy|secrets/.test(resource))).toEqual([])
    const patches = calls.filter(({ verb }) => !['get', 'list', 'watch'].includes(verb))
    // A dry run before each.
    expect(patches.map(({ verb, resource, name, code }) => [verb, resource, name, code])).toEqual(
      diagnosis.containers.flatMap(() => Array(2).fill(['patch', 'pods/ephemeralcontainers', pod, 200])),
    )
  })

  test('the issue has one note, with outcome, findings, links and provenance', async () => {
    expect(notes).toHaveLength(1)
    const note = await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)
    const [one] = diagnosis.containers
    expect(note).toMatch(/complete/)
    expect(note).toMatch(/bananas:8080.*500 Internal Server Error/)
    expect(note).toContain(`${service.url}/diagnoses/${diagnosis.id}`)
    expect(note).toContain(`${service.url}/v1/diagnoses/${diagnosis.id}/bundle`)
    expect(note).toContain('by alice')
    expect(note).toContain(`fruit/${pod}`)
    expect(note).toContain(before.metadata.uid)
    expect(note).toContain('localhost/autodiagnose:1')
    expect(note).toMatch(/sha256:[0-9a-f]{64}/)
    expect(note).toContain(`profile ${one?.profile}`)
    for (const { name } of diagnosis.containers) expect(note).toContain(name)
    expect(note).toMatch(/exit code 0/)
    expect(note).toMatch(/Duration\s+\d+\.\d s/)
    expect(note).toMatch(/Missing or cut\s+nothing/)
  })

  test('S3 has the log, the evidence and the bundle, which opens with tar in the layout of Troubleshoot', async () => {
    const keys = await listObjects(`${service.prefix}diagnoses/${diagnosis.id}/`)
    const key = `${service.prefix}${diagnosis.bundle?.key}`
    expect(keys).toContain(key)
    for (const { name } of diagnosis.containers) expect(keys.filter((one) => one.includes(`/segments/${name}/`)).length).toBeGreaterThan(0)

    const link = await service.call('GET', `/v1/diagnoses/${diagnosis.id}/bundle`)
    expect([302, 303, 307]).toContain(link.status)
    const location = link.headers.get('location') ?? ''
    expect(location).toContain(`${labVariable('LAB_S3_ENDPOINT')}/${labVariable('LAB_S3_BUCKET')}/${key}`)
    expect(location).toMatch(/X-Amz-Expires=\d+/)
    // Without any credentials of ours.
    const archive = await (await fetch(location)).arrayBuffer()
    expect(archive.byteLength).toBe(diagnosis.bundle?.bytes)
    bundle = await openBundle(archive)

    expect(bundle.top).toMatch(/^support-bundle-\d{4}-\d\d-\d\dT\d\d_\d\d_\d\d$/)
    const applicationLog = `cluster-resources/pods/logs/fruit/${pod}/apples.log`
    // A pod that is seconds old may not have been measured yet.
    const perhaps = [`metrics/fruit/${pod}.json`, 'metrics-errors.json']
    expect(bundle.paths.filter((path) => !perhaps.includes(path))).toEqual(
      [
        'version.yaml',
        'analysis.json',
        'execution-data/summary.txt',
        'cluster-info/cluster_version.json',
        'cluster-resources/pods/fruit.json',
        'cluster-resources/events/fruit.json',
        applicationLog,
        'autodiagnose/SHA256SUMS',
        'autodiagnose/diagnosis.json',
        ...diagnosis.containers.map(({ name }) => `autodiagnose/fruit/${pod}/${name}-stdout.txt`),
      ].sort(),
    )
    expect(bundle.text('version.yaml')).toContain('kind: SupportBundle')
    const analysis = bundle.json('analysis.json') as readonly { readonly severity: string; readonly insight: { readonly primary: string } }[]
    expect(analysis.find(({ insight }) => insight.primary.includes('500 Internal Server Error'))).toMatchObject({ severity: 'error' })
    const [log = ''] = diagnosis.containers.map(({ name }) => bundle.text(`autodiagnose/fruit/${pod}/${name}-stdout.txt`))
    expect(output).toContain(log)
    // Of the application's log, no more than a finding quotes.
    expect(bundle.text(applicationLog)).toMatch(/^(.*http:\/\/bananas:8080: 500.*\n)+$/)
  })

  test('the evidence is as the API server gave it: microseconds, and fields that clients drop', async () => {
    const { items } = bundle.json('cluster-resources/pods/fruit.json') as { readonly items: readonly RawPod[] }
    // Nothing of its neighbours.
    expect(items.map(({ metadata }) => metadata.name)).toEqual([pod])
    const raw = JSON.parse(await kubectlAgain(['get', '--raw', `/api/v1/namespaces/fruit/pods/${pod}`])) as RawPod
    const created = (of: RawPod | undefined) => ((of?.metadata.managedFields ?? []) as readonly unknown[])[0]
    expect(created(items[0])).toMatchObject({ manager: expect.stringContaining('kubectl'), time: expect.any(String) })
    expect(created(items[0])).toEqual(created(raw))
    const events = bundle.json('cluster-resources/events/fruit.json') as { readonly items: readonly { reason: string; eventTime: string | null }[] }
    expect(events.items.find(({ reason }) => reason === 'Scheduled')?.eventTime).toMatch(/\.\d{6}Z$/)
  })

  describe('in Chromium', () => {
    const chromium = needs('chromium')

    test('the link of the note leads over the login to the diagnosis, with finding and log', async () => {
      const browser = await launch(chromium)
      try {
        const { page, complaints } = await openTab(browser)
        await page.goto(`${redmine.url}/issues/${issue}`)
        await page.getByRole('link', { name: 'Diagnosis', exact: true }).click()
        await page.getByLabel('Token').fill(service.token)
        await page.getByRole('button', { name: 'Log in' }).click()
        await page.getByRole('heading', { name: /^GET http:\/\/bananas:8080 .*500 Internal Server Error/ }).waitFor()
        expect(page.url()).toBe(`${service.url}/diagnoses/${diagnosis.id}`)
        expect(await page.locator('#log').textContent()).toMatch(/TAP version 14[\s\S]*not ok \d+ - .*500 Internal Server Error/)
        await page.screenshot({ path: join(tmpdir(), `autodiagnose-scenario-${host}.png`), fullPage: true })
        expect(complaints.filter((text) => text.includes(service.url))).toEqual([])
      } finally {
        await browser.close()
      }
    })
  })
})

const idIn = (text: string): string => /\bad-[0-9a-z]{20}\b/.exec(text)?.[0] ?? ''

/** Runs the command line in a shell, and tells once the first line of the container is there. */
async function runLive(command: string, { token, url }: LabService, onFirst: (id: string) => Promise<void>): Promise<readonly Arrival[]> {
  const arrivals: Arrival[] = []
  const began = Date.now()
  const child = spawn('sh', ['-c', command], { env: { ...process.env, TOKEN: token, URL: url }, stdio: ['ignore', 'pipe', 'pipe'] })
  let errors = ''
  let rest = ''
  let told: Promise<void> | undefined
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) arrivals.push({ text: line, atMs: Date.now() - began })
    if (lines.includes('TAP version 14')) told ??= onFirst(idIn(arrivals[0]?.text ?? ''))
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`curl ended with ${code}: ${errors}`)
  await told
  return arrivals
}
