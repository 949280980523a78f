import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { callsOf } from './audit.ts'
import { isLab, kubectl, needsLab } from './environment.ts'
import { deleteObjects, openBundle } from './lab-store.ts'
import { createApples, getPod, kubectlAgain } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { asServiceAccount } from './service-account.ts'
import { useSilentServer } from './silent-server.ts'

const run = promisify(execFile)
const deploy = fileURLToPath(new URL('../lab/service/deploy', import.meta.url))
const url = 'http://10.96.0.80'
const user = 'system:serviceaccount:autodiagnose:autodiagnose'

/** All that infra/kubernetes lets the account do, with the optional rules of the lab; and what anyone may who has a token. */
const allowed = [
  ...['get', 'list', 'watch'].map((verb) => `${verb} pods`),
  'get pods/log',
  'patch pods/ephemeralcontainers',
  'list events',
  'get metrics.k8s.io/pods',
  ...['deployments', 'statefulsets', 'daemonsets', 'replicasets'].map((kind) => `get apps/${kind}`),
  'get batch/jobs',
  'get services',
  'list services',
  'get nodes',
  'create authorization.k8s.io/selfsubjectaccessreviews',
  'create authentication.k8s.io/selfsubjectreviews',
  'get /version',
  'get /readyz',
]

describe('the service as a pod of the cluster', () => {
  needsLab()
  const { slow } = useSilentServer()
  const pod = `apples-${randomBytes(5).toString('hex')}`
  const ids: string[] = []
  let redmine: ReturnType<typeof redmineLab>
  let uid = ''
  let began = ''

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    began = new Date().toISOString()
    await vi.waitFor(() => run(deploy), { timeout: 150_000, interval: 1000 })
    uid = (await createApples(pod)).metadata.uid
  })
  afterAll(async () => {
    if (!isLab) return
    await kubectlAgain(['-n', 'fruit', 'delete', 'pod', pod, '--wait=false', '--ignore-not-found'])
    for (const id of ids) await deleteObjects(`diagnoses/${id}/`)
    await redmine?.clean()
    await vi.waitFor(() => run(deploy, ['down']), { timeout: 100_000, interval: 1000 })
  })

  /** Through its Service; again while there is no pod behind it. */
  const call = (path: string, init: RequestInit = {}): Promise<Response> =>
    vi.waitFor(
      async () => {
        const headers = { authorization: 'Bearer lab-autodiagnose-token', 'content-type': 'application/json', ...init.headers }
        const answer = await fetch(url + path, { ...init, headers, redirect: 'manual', signal: AbortSignal.timeout(5000) })
        if (answer.status >= 400) throw new Error(`the service answered ${answer.status} ${await answer.text()}`)
        return answer
      },
      { timeout: 60_000, interval: 300 },
    )
  const get = async (id: string) => (await (await call(`/v1/diagnoses/${id}`)).json()) as View
  const until = (id: string, is: (diagnosis: View) => boolean): Promise<View> =>
    vi.waitFor(
      async () => {
        const now = await get(id)
        if (!is(now)) throw new Error(`diagnosis is not as awaited: ${JSON.stringify(now)}`)
        return now
      },
      { timeout: 120_000, interval: 300 },
    )

  test('one curl through its Service finds out what to check, and is told what was found', async () => {
    const issue = await redmine.newIssue()
    const literal = `curl -N -H "Authorization: Bearer $TOKEN" -d pod=fruit/${pod} -d report=redmine:${issue} "$URL/v1/diagnoses?follow"`
    const env = { ...process.env, TOKEN: 'lab-autodiagnose-token', URL: url }
    const { stdout } = await run('sh', ['-c', literal], { env, timeout: 120_000 })
    const id = /^# diagnosis (ad-[0-9a-z]{20}) of pod fruit\//m.exec(stdout)?.[1] ?? ''
    ids.push(id)
    expect(stdout).toMatch(/^not ok \d+ - .*http:\/\/bananas:8080.* 500 Internal Server Error/m)
    expect(stdout).toMatch(/^ok \d+ - .*bananas.*10\.96\.\d+\.\d+/m)
    expect(stdout).toMatch(/^# outcome: complete$/m)
    expect(stdout).toContain(`# bundle: ${url}/v1/diagnoses/${id}/bundle\n`)
    expect(stdout).toMatch(new RegExp(`^# report: http://\\S+/issues/${issue}#`, 'm'))
    expect(await get(id)).toMatchObject({ checks: [], requester: 'ops' })
  })

  test('the scenario through its Service, while its own pod is deleted: diagnosed once, and told once', async () => {
    const issue = await redmine.newIssue()
    const checks = ['processes', 'dns=bananas', 'http=http://bananas:8080', ...slow]
    const body = JSON.stringify({ pod: `fruit/${pod}`, report: `redmine:${issue}`, checks })
    const { id } = (await (await call('/v1/diagnoses', { method: 'POST', body, headers: { 'idempotency-key': pod } })).json()) as View
    ids.push(id)
    await until(id, ({ state }) => state === 'listening')
    const followed = fetch(`${url}/v1/diagnoses/${id}/log?follow`, {
      headers: { authorization: 'Bearer lab-autodiagnose-token' },
      signal: AbortSignal.timeout(60_000),
    }).then((answer) => answer.text())
    const [before] = await servicePods()
    await kubectlAgain(['-n', 'autodiagnose', 'delete', 'pod', before?.name ?? '', '--wait=false'])

    expect(await followed).toMatch(/\n# the service is stopping; the diagnosis goes on: .*\n$/)
    const diagnosis = await until(id, ({ state }) => state === 'done')
    expect(diagnosis.outcome).toBe('complete')
    const [after] = await servicePods()
    expect(after?.uid).not.toBe(before?.uid)
    expect(diagnosis.pod?.uid).toBe(uid)
    expect(diagnosis.findings.map(({ title }) => title)).toContainEqual(expect.stringMatching(/http:\/\/bananas:8080.* 500 Internal Server Error/))

    const added = ((await getPod('fruit', pod)).spec.ephemeralContainers ?? []).map(({ name }) => name).filter((name) => name.startsWith(id))
    expect(added.sort()).toEqual(diagnosis.containers.map(({ name }) => name))
    for (const container of diagnosis.containers) expect(container).toMatchObject({ proven: true, gaps: [], exitCode: 0 })
    const link = await call(`/v1/diagnoses/${id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    const log = bundle.text(`autodiagnose/fruit/${pod}/${id}-1-stdout.txt`)
    expect(log.match(/^not ok \d+ - .*http:\/\/bananas:8080/gm)).toHaveLength(1)
    expect(log.match(/^TAP version 14$/gm)).toHaveLength(1)
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    expect(await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)).toContain(`${url}/diagnoses/${id}`)
  })

  test('it called nothing but what its Role allows, and nothing was forbidden to it', async () => {
    // What was called for its account before, by the last test of an earlier run, is not its doing.
    const calls = await callsOf(user, began)
    const kinds = [...new Set(calls.map(({ verb, resource }) => `${verb} ${resource}`))]
    expect(kinds.filter((kind) => !allowed.includes(kind))).toEqual([])
    expect(kinds).toEqual(expect.arrayContaining(['get pods', 'watch pods', 'get pods/log', 'patch pods/ephemeralcontainers', 'list events']))
    const ours = calls.filter(({ name, verb }) => name === pod && verb === 'patch')
    // Whether there is a policy is asked once, by what it refuses.
    expect(new Set(ours.map(({ code }) => code))).toEqual(new Set([200, 422]))
    // A dry run and the PATCH for each container, and never more.
    expect(ours.filter(({ code }) => code === 200).length).toBe(2 * ((await getPod('fruit', pod)).spec.ephemeralContainers?.length ?? 0))
    expect(calls.filter(({ code }) => code === 401 || code === 403)).toEqual([])
    expect(calls.filter(({ namespace }) => namespace !== undefined && namespace !== 'fruit')).toEqual([])
  })

  test('exec, attach and a foreign image are refused to its account', async () => {
    const account = await asServiceAccount('autodiagnose', 'autodiagnose')
    const path = `/api/v1/namespaces/fruit/pods/${pod}`
    try {
      expect(await account.call('POST', `${path}/exec?command=id`)).toMatchObject({ status: 403 })
      expect(await account.call('POST', `${path}/attach`)).toMatchObject({ status: 403 })
      const foreign = { spec: { ephemeralContainers: [{ name: 'ad-0123456789abcdefghjk-1', image: 'localhost/tools:1' }] } }
      const answer = await account.call('PATCH', `${path}/ephemeralcontainers?dryRun=All`, foreign, 'application/strategic-merge-patch+json')
      expect(answer).toMatchObject({ status: 422, body: { message: expect.stringContaining('the image must be one of localhost/autodiagnose:1') } })
    } finally {
      await account.close()
    }
  })
})

async function servicePods(): Promise<readonly { readonly name: string; readonly uid: string }[]> {
  const { items } = JSON.parse(await kubectl(['-n', 'autodiagnose', 'get', 'pods', '-o', 'json']))
  return items.map(({ metadata }: { metadata: { name: string; uid: string } }) => metadata)
}
