import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { View } from '../../src/api/view.ts'
import { isLab, kubectl, needsLab, useNamespace } from './environment.ts'
import { openBundle } from './lab-store.ts'
import { create, fruitPod, getPod, isReady, kubectlAgain, logThat, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

/** Every refusal is told where it was asked for, and the evidence is there all the same. */
describe('refusals', () => {
  needsLab()
  const namespace = useNamespace('refusals')
  const restricted = useNamespace('restricted', { 'pod-security.kubernetes.io/enforce': 'restricted' })
  const guarded = useNamespace('guarded')
  const unbound = useNamespace('unbound')
  const readable = useNamespace('readable')
  const service = useService({ watched: [namespace, restricted, guarded, 'fruit'], allowed: [unbound, readable, 'no-such-namespace'] })
  const policy = `autodiagnose-test-${randomBytes(4).toString('hex')}`
  let redmine: ReturnType<typeof redmineLab>

  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    const deny = {
      failurePolicy: 'Fail',
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods/ephemeralcontainers'], operations: ['UPDATE'] }],
      },
      matchConditions: [{ name: 'here', expression: `request.namespace == '${guarded}'` }],
      validations: [{ expression: 'false', message: 'the orchard takes no visitors' }],
    }
    const group = 'admissionregistration.k8s.io/v1'
    await create('default', { apiVersion: group, kind: 'ValidatingAdmissionPolicy', metadata: { name: policy }, spec: deny })
    const binding = { policyName: policy, validationActions: ['Deny'] }
    await create('default', { apiVersion: group, kind: 'ValidatingAdmissionPolicyBinding', metadata: { name: policy }, spec: binding })

    // It may read there, and add nothing.
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] }]
    const rbac = 'rbac.authorization.k8s.io/v1'
    await create(readable, { apiVersion: rbac, kind: 'Role', metadata: { name: 'reader' }, rules })
    const subjects = [{ kind: 'User', name: service.user, apiGroup: 'rbac.authorization.k8s.io' }]
    const roleRef = { kind: 'Role', name: 'reader', apiGroup: 'rbac.authorization.k8s.io' }
    await create(readable, { apiVersion: rbac, kind: 'RoleBinding', metadata: { name: 'reader' }, subjects, roleRef })

    await create(namespace, fruitPod('windows', 'idle', { spec: { os: { name: 'windows' }, nodeSelector: { 'kubernetes.io/os': 'windows' } } }))
    for (const one of [guarded, unbound, readable]) await create(one, fruitPod('idle', 'idle'))
    for (const one of [guarded, unbound, readable]) await podThat(one, 'idle', isReady)
  })
  afterAll(async () => {
    if (!isLab) return
    await kubectlAgain(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', policy, '--ignore-not-found'])
    await redmine?.clean()
  })

  /** Diagnoses, and looks for the refusal where it must stand: in the API, on the bug report, and in the bundle. */
  async function refused(request: object): Promise<{ readonly diagnosis: View; readonly note: string; readonly paths: readonly string[] }> {
    const issue = await redmine.newIssue()
    const diagnosis = await service.diagnose({ ...request, report: `redmine:${issue}` })
    expect(diagnosis.outcome).toBe('refused')
    expect(diagnosis.containers).toEqual([])
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    const note = await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)
    expect(note).toContain(diagnosis.refusal?.code)
    const link = await service.call('GET', `/v1/diagnoses/${diagnosis.id}/bundle`)
    const bundle = await openBundle(await (await fetch(link.headers.get('location') ?? '')).arrayBuffer())
    expect(bundle.text('execution-data/summary.txt')).toContain('refused')
    return { diagnosis, note, paths: bundle.paths }
  }
  const evidenceOf = (where: string) => [`cluster-resources/pods/${where}.json`, `cluster-resources/events/${where}.json`]

  test('an unknown pod', async () => {
    const { diagnosis } = await refused({ pod: `${namespace}/nobody` })
    expect(diagnosis.refusal).toMatchObject({ code: 'pod-not-found', message: expect.stringContaining('nobody') })
  })

  test('an unknown namespace', async () => {
    const { diagnosis } = await refused({ pod: 'no-such-namespace/nobody' })
    expect(['pod-not-found', 'rbac']).toContain(diagnosis.refusal?.code)
    expect(diagnosis.refusal?.message).toContain('no-such-namespace')
  })

  test('an unknown container', async () => {
    const { diagnosis, paths } = await refused({ pod: 'fruit/shared', container: 'pears' })
    expect(diagnosis.refusal).toEqual({ code: 'container-not-found', message: expect.stringMatching(/"pears".*apples, sidecar/) })
    expect(paths).toEqual(expect.arrayContaining(evidenceOf('fruit')))
  })

  test('the mirror of a static pod', async () => {
    const { diagnosis, paths } = await refused({ pod: 'fruit/orchard-lab' })
    expect(diagnosis.refusal).toMatchObject({ code: 'static-pod', message: expect.stringContaining('static pod') })
    expect(paths).toEqual(expect.arrayContaining(evidenceOf('fruit')))
  })

  test('a completed pod', async () => {
    const { diagnosis, paths } = await refused({ pod: 'fruit/completed' })
    expect(diagnosis.refusal).toMatchObject({ code: 'pod-finished', message: expect.stringContaining('Succeeded') })
    expect(paths).toEqual(expect.arrayContaining(evidenceOf('fruit')))
  })

  test('a pod for Windows', async () => {
    const { diagnosis } = await refused({ pod: `${namespace}/windows` })
    expect(diagnosis.refusal).toMatchObject({ code: 'windows-pod', message: expect.stringContaining('Windows') })
  })

  test('a pod that is being deleted', async () => {
    const spec = { terminationGracePeriodSeconds: 120 }
    // It takes no notice of TERM.
    const container = { image: 'localhost/tools:1', command: ['sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 1; done'] }
    await create(namespace, fruitPod('leaving', 'idle', { spec: { ...spec, containers: [{ name: 'app', ...container }] } }))
    await logThat(namespace, 'leaving', 'deaf')
    await kubectlAgain(['-n', namespace, 'delete', 'pod', 'leaving', '--wait=false'])
    const { diagnosis, paths } = await refused({ pod: `${namespace}/leaving` })
    expect(diagnosis.refusal).toMatchObject({ code: 'pod-deleted', message: expect.stringContaining('being deleted') })
    expect(paths).toEqual(expect.arrayContaining(evidenceOf(namespace)))
    await kubectlAgain(['-n', namespace, 'delete', 'pod', 'leaving', '--force', '--grace-period=0', '--ignore-not-found'])
  })

  test('no right to add a container: the message names the Role', async () => {
    const { diagnosis, paths } = await refused({ pod: `${readable}/idle` })
    expect(diagnosis.refusal).toMatchObject({ code: 'rbac', message: expect.stringMatching(/may not add containers.*Role/) })
    expect(paths).toContain(`cluster-resources/pods/${readable}.json`)
    // What could not be read is said.
    expect(paths).toContain('cluster-resources/events-errors.json')
  })

  test('no right to read the pod', async () => {
    const { diagnosis, note } = await refused({ pod: `${unbound}/idle` })
    expect(diagnosis.refusal).toMatchObject({ code: 'rbac', message: expect.stringContaining(unbound) })
    expect(note).toContain(unbound)
  })

  test('pod security: a pod that violates the level of its namespace takes no container at all', async () => {
    // It was there before the level.
    await kubectlAgain(['label', 'namespace', restricted, '--overwrite', 'pod-security.kubernetes.io/enforce=privileged'])
    await create(restricted, fruitPod('old', 'idle'))
    await podThat(restricted, 'old', isReady)
    await kubectlAgain(['label', 'namespace', restricted, '--overwrite', 'pod-security.kubernetes.io/enforce=restricted'])
    const { diagnosis, paths } = await refused({ pod: `${restricted}/old` })
    expect(diagnosis.refusal).toMatchObject({ code: 'pod-security', message: expect.stringMatching(/violates PodSecurity "restricted/) })
    expect(paths).toEqual(expect.arrayContaining(evidenceOf(restricted)))
  })

  test('another admission policy: its own words are told', async () => {
    // Policies are taken up a moment after they were made.
    const patch = JSON.stringify({ spec: { ephemeralContainers: [{ name: 'probe', image: 'x:1' }] } })
    await vi.waitFor(
      async () => {
        const args = ['-n', guarded, 'patch', 'pod', 'idle', '--subresource=ephemeralcontainers', '--dry-run=server', '-p', patch]
        await expect(kubectl(args)).rejects.toThrow('takes no visitors')
      },
      { timeout: 30_000, interval: 300 },
    )
    const { diagnosis } = await refused({ pod: `${guarded}/idle` })
    expect(diagnosis.refusal).toMatchObject({ code: 'admission', message: expect.stringContaining('the orchard takes no visitors') })
  })

  test('a profile that policy does not allow is refused at intake', async () => {
    const answer = await service.call('POST', '/v1/diagnoses', { pod: 'fruit/shared', profile: 'sysadmin' })
    expect(answer.status).toBe(403)
    expect(answer.headers.get('content-type')).toContain('application/problem+json')
    expect(await answer.json()).toMatchObject({ detail: expect.stringContaining('Profile "sysadmin"') })
  })

  test('while injection is paused, the evidence alone is gathered', async () => {
    expect((await service.call('POST', '/v1/injection', { paused: true })).status).toBe(200)
    try {
      const { diagnosis, paths } = await refused({ pod: 'fruit/shared' })
      expect(diagnosis.refusal?.code).toBe('paused')
      expect(paths).toEqual(expect.arrayContaining(evidenceOf('fruit')))
      expect(diagnosis.refusal?.message).toContain('/v1/injection')
    } finally {
      await service.call('POST', '/v1/injection', { paused: false })
    }
  })

  test('none of them added anything', async () => {
    const pods = [
      [readable, 'idle'],
      [unbound, 'idle'],
      [guarded, 'idle'],
      [restricted, 'old'],
      ['fruit', 'orchard-lab'],
      ['fruit', 'completed'],
    ] as const
    for (const [where, name] of pods) expect([where, (await getPod(where, name)).spec.ephemeralContainers]).toEqual([where, undefined])
  })
})
