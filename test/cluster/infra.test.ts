import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { configSchema } from '../../src/config.ts'
import { type ContainerPlan, containerSpec } from '../../src/diagnosis/inject/container-spec.ts'
import { isLab, kubectl, useNamespace } from './environment.ts'
import { apply, policyImage as image, render } from './manifests.ts'
import { type Answer, asServiceAccount } from './service-account.ts'

const name = 'ad-0123456789abcdefghjk-1'
const ids = { uid: 1000, gid: 1000 }
const usual = { name, profile: 'restricted' as const, ids, target: 'app', expires: 1_900_000_000, checks: [], mountChecks: false }

describe('what the service may', () => {
  const service = useNamespace('infra-service')
  const watched = useNamespace('infra-watched')
  const config = configSchema.parse({
    publicUrl: 'https://autodiagnose.example.com',
    clusters: { here: { inCluster: true } },
    store: { kind: 'files', directory: 'x' },
    diagnosis: { image },
  })
  let account: Awaited<ReturnType<typeof asServiceAccount>>

  const ours = (plan: Partial<ContainerPlan> = {}) => containerSpec({ ...usual, image, ...plan }, config, 8_388_608)

  const pod = (of = 'target') => `/api/v1/namespaces/${watched}/pods/${of}`
  const add = (containers: readonly unknown[], dryRun = true, to = 'target'): Promise<Answer> =>
    account.call(
      'PATCH',
      `${pod(to)}/ephemeralcontainers${dryRun ? '?dryRun=All' : ''}`,
      { spec: { ephemeralContainers: containers } },
      'application/strategic-merge-patch+json',
    )

  beforeAll(async () => {
    // Without the Deployment: these tests are about its account.
    const base = (await render('base', service, watched)).filter(({ kind }) => /^(ServiceAccount|ValidatingAdmission)/.test(kind))
    await apply([...base, ...(await render('watched', service, watched))])
    // It need not run: admission is asked before the kubelet.
    const podOf = (name: string, spec: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { ...spec, containers: [{ name: 'app', image: 'registry.example.com/none:1' }] },
    })
    const map = (name: string) => ({ name, configMap: { name: 'checks' } })
    // What the API server itself refuses in a pod without: a block device needs the volume, an unmasked /proc users of the pod's own.
    const items = [
      podOf('target', { volumes: [{ name: 'block', persistentVolumeClaim: { claimName: 'none' } }, map('autodiagnose-checks'), map('config')] }),
      podOf('secretive', { volumes: [{ name: 'autodiagnose-checks', secret: { secretName: 'none' } }] }),
      ...(isLab ? [podOf('own-users', { hostUsers: false })] : []),
    ]
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items })
    await vi.waitFor(() => kubectl(['-n', watched, 'apply', '--server-side', '-f', '-'], list), { timeout: 30_000, interval: 500 })
    account = await asServiceAccount(service, 'autodiagnose')
    await vi.waitFor(async () => expect((await add([{ ...ours(), image: 'other:1' }])).body.message).toContain('the image must be one of'), {
      timeout: 60_000,
      interval: 500,
    })
  })

  afterAll(async () => {
    await account?.close()
    await kubectl(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', service, '--ignore-not-found'])
  })

  it.each<[string, Partial<ContainerPlan>]>([
    ['the restricted form', {}],
    ['the second container of a diagnosis', { name: name.replace(/1$/, '2') }],
    ['the baseline form, as root', { profile: 'baseline', ids: { uid: 0, gid: 0 } }],
    ['the target by its id', { targetId: 'a'.repeat(64) }],
    ['checks', { checks: [{ name: 'dns' }, { name: 'http', param: 'http://backend:8080/?a=b&c=d' }] }],
    ['the memory that is left', { freeBytes: 33_554_432 }],
    ["the checks of the pod's owners", { mountChecks: true }],
    ['the same as root', { mountChecks: true, profile: 'baseline', ids: { uid: 0, gid: 0 } }],
    ['a parameter that a shell would run', { checks: [{ name: 'http', param: '$(reboot); `x` | "y" \' \\ ü' }] }],
  ])('accepts %s', async (_, plan) => {
    expect(await add([ours(plan)])).toMatchObject({ status: 200 })
  })

  it('accepts a container without a target', async () => {
    const { target: _, ...plan } = { name, profile: 'restricted' as const, target: 'app', expires: 1, checks: [], image, mountChecks: false }
    expect(await add([containerSpec(plan, config, 1)])).toMatchObject({ status: 200 })
  })

  const { securityContext, args } = ours() as { securityContext: object; args: string[] }
  const secured = (change: object) => ({ securityContext: { ...securityContext, ...change } })
  const without = (option: string) => ({ args: args.filter((arg) => !arg.startsWith(option)) })
  it.each<[string, object, string]>([
    ['a foreign image', { image: 'docker.example.com/other:1' }, 'the image must be one of'],
    ['our image under a longer name', { image: `${image}-other` }, 'the image must be one of'],
    ['a command', { command: ['sh'] }, 'no command'],
    ['an environment variable', { env: [{ name: 'X', value: 'y' }] }, 'no environment'],
    ['variables from a Secret', { envFrom: [{ secretRef: { name: 'x' } }] }, 'no environment'],
    ['another name', { name: 'debugger' }, 'name must be that of a diagnosis'],
    ['no arguments', { args: [] }, 'arguments must be'],
    ["another container's name", { args: ['--diagnosis=ad-00000000000000000000-1'] }, 'arguments must be'],
    ['a second word of the memory', { args: [...args, '--memory=1', '--memory=2'] }, 'must be given once each'],
    ['another ConfigMap', { volumeMounts: [{ name: 'config', mountPath: '/checks.d', readOnly: true }] }, 'no volume may be mounted'],
    ['the checks elsewhere', { volumeMounts: [{ name: 'autodiagnose-checks', mountPath: '/lib', readOnly: true }] }, 'no volume may be mounted'],
    ['the checks to be written', { volumeMounts: [{ name: 'autodiagnose-checks', mountPath: '/checks.d' }] }, 'no volume may be mounted'],
    ['an unknown option', { args: [...args, '--exec=sh'] }, 'arguments must be'],
    ['an option that is no number', { args: [...args, '--deadline=1e9'] }, 'arguments must be'],
    ['a check that is a path', { args: [...args, '../bin/sh'] }, 'arguments must be'],
    ['a line break in a parameter', { args: [...args, 'http=x\n--exec'] }, 'arguments must be'],
    ['a control character in a parameter', { args: [...args, 'http=\u001b[2J'] }, 'arguments must be'],
    ['a deadline of hours', { args: [...without('--deadline').args, '--deadline=99999'] }, 'arguments must be'],
    ['an expiry far away', { args: [...without('--expires').args, '--expires=999999999999'] }, 'arguments must be'],
    ['an output of any size', { args: [...without('--output-bytes').args, '--output-bytes=99999999999'] }, 'arguments must be'],
    ['a second deadline', { args: [...args, '--deadline=60'] }, 'must be given once each'],
    ['a second expiry', { args: [...args, '--expires=1'] }, 'must be given once each'],
    ['a second size of the output', { args: [...args, '--output-bytes=1'] }, 'must be given once each'],
    ['the name of a second diagnosis', { args: [...args, '--diagnosis=ad-00000000000000000000-1'] }, 'must be given once each'],
    ['no deadline', without('--deadline'), 'must be given once each'],
    ['no expiry', without('--expires'), 'must be given once each'],
    ['no size of the output', without('--output-bytes'), 'must be given once each'],
    ['two targets', { args: [...args, `--target-id=${'a'.repeat(64)}`, '--no-target'] }, 'at most once'],
    ['a block device', { volumeDevices: [{ name: 'block', devicePath: '/dev/x' }] }, 'no volume'],
    ['input once', { stdinOnce: true }, 'neither input'],
    ['a terminal alone', { tty: true }, 'neither input'],
    ['input', { stdin: true }, 'neither input'],
    ['a terminal', { stdin: true, tty: true }, 'neither input'],
    ['a working directory', { workingDir: '/proc/1/root' }, 'neither input'],
    ['a termination message path', { terminationMessagePath: '/etc/x' }, 'neither input'],
    ['a privileged container', { securityContext: { ...securityContext, allowPrivilegeEscalation: true, privileged: true } }, 'security profile'],
    ['privilege escalation', { securityContext: { ...securityContext, allowPrivilegeEscalation: true } }, 'security profile'],
    ['an added capability', { securityContext: { ...securityContext, capabilities: { drop: ['ALL'], add: ['SYS_PTRACE'] } } }, 'security profile'],
    ['seccomp switched off', { securityContext: { ...securityContext, seccompProfile: { type: 'Unconfined' } } }, 'no setting besides'],
    ['a seccomp profile of the node', secured({ seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } }), 'no setting besides'],
    ['options of SELinux', secured({ seLinuxOptions: { level: 's0:c1' } }), 'no setting besides'],
    ['options of Windows', secured({ windowsOptions: { runAsUserName: 'x' } }), 'no setting besides'],
    ['AppArmor switched off', secured({ appArmorProfile: { type: 'Unconfined' } }), 'no setting besides'],
    ['escalation that is not denied', secured({ allowPrivilegeEscalation: undefined }), 'security profile'],
    ['a writable root', { securityContext: { ...securityContext, readOnlyRootFilesystem: false } }, 'read-only root'],
    ['no security context', { securityContext: undefined }, 'security context must'],
  ])('refuses %s', async (_, change, message) => {
    const answer = await add([{ ...ours(), ...change }])
    expect(answer).toMatchObject({ status: 422, body: { reason: 'Invalid' } })
    expect(answer.body.message).toContain(`ValidatingAdmissionPolicy '${service}'`)
    expect(answer.body.message).toContain(message)
  })

  it.each([true, undefined])('refuses the baseline form with allowPrivilegeEscalation %s', async (allowPrivilegeEscalation) => {
    const baseline = ours({ profile: 'baseline', ids: { uid: 0, gid: 0 } }) as { securityContext: object }
    const answer = await add([{ ...baseline, securityContext: { ...baseline.securityContext, allowPrivilegeEscalation } }])
    expect(answer).toMatchObject({ status: 422 })
    expect(answer.body.message).toContain('security profile')
  })

  // Older servers drop the field.
  it.runIf(isLab)('refuses an unmasked /proc', async () => {
    const answer = await add([{ ...ours(), ...secured({ procMount: 'Unmasked' }) }], true, 'own-users')
    expect(answer).toMatchObject({ status: 422 })
    expect(answer.body.message).toContain('no setting besides')
  })

  it.each(['general', 'netadmin', 'sysadmin'] as const)('refuses profile %s', async (profile) => {
    const answer = await add([ours({ profile, ids: { uid: 0, gid: 0 } })])
    expect(answer.body.message).toContain('the security profile must be one of restricted, baseline')
  })

  it("refuses a volume of the pod's, although it is declared", async () => {
    const { spec } = JSON.parse(await kubectl(['-n', watched, 'get', 'pod', 'target', '-o', 'json']))
    const volume = spec.volumes.map((one: { name: string }) => one.name).find((one: string) => one.startsWith('kube-api-access'))
    expect(volume).toMatch(/^kube-api-access/)
    const answer = await add([{ ...ours(), volumeMounts: [{ name: volume, mountPath: '/x' }] }])
    expect(answer).toMatchObject({ status: 422 })
    expect(answer.body.message).toContain('no volume')
  })

  it('refuses a Secret under the name of the checks', async () => {
    const answer = await add([ours({ mountChecks: true })], true, 'secretive')
    expect(answer).toMatchObject({ status: 422 })
    expect(answer.body.message).toContain('no volume')
  })

  it('refuses a second, foreign container in the same request', async () => {
    const answer = await add([ours(), { ...ours(), name: 'debugger', image: 'other:1' }])
    expect(answer).toMatchObject({ status: 422 })
  })

  it("judges only what is added: beside somebody else's container ours is accepted, and again is no change", async () => {
    await kubectl(['-n', watched, 'debug', 'target', '--image=other:1', '--container=debugger', '--attach=false', '-q', '--', 'sh'])
    const one = ours({ name: `ad-${randomBytes(10).toString('hex')}-1` })
    expect(await add([one], false)).toMatchObject({ status: 200 })
    expect(await add([one], false)).toMatchObject({ status: 200 })
    expect(await add([{ ...one, args: [...(one.args as string[]), 'dns'] }], false)).toMatchObject({ status: 422 })
  })

  it('changes nothing else of the pod, whatever the request says', async () => {
    const path = `${pod()}/ephemeralcontainers?dryRun=All`
    const patch = { metadata: { labels: { x: 'y' }, annotations: { x: 'y' } }, spec: { activeDeadlineSeconds: 1, ephemeralContainers: [ours()] } }
    const answer = await account.call('PATCH', path, patch, 'application/strategic-merge-patch+json')
    const { metadata, spec } = answer.body as { metadata?: Record<string, unknown>; spec?: Record<string, unknown> }
    expect(answer.status).toBe(200)
    expect(metadata?.labels).toBeUndefined()
    expect(metadata?.annotations).toBeUndefined()
    expect(spec?.activeDeadlineSeconds).toBeUndefined()
  })

  it.each<[string, string, string, unknown?]>([
    ['exec', 'POST', '/pods/target/exec?command=id'],
    ['exec by GET', 'GET', '/pods/target/exec?command=id'],
    ['attach', 'POST', '/pods/target/attach'],
    ['port-forward', 'POST', '/pods/target/portforward'],
    ['create a pod', 'POST', '/pods', { metadata: { name: 'x' }, spec: { containers: [{ name: 'x', image: 'x' }] } }],
    ['delete a pod', 'DELETE', '/pods/target'],
    ['update ephemeral containers whole', 'PUT', '/pods/target/ephemeralcontainers', {}],
    ['read secrets', 'GET', '/secrets'],
    ['read config maps', 'GET', '/configmaps'],
    ['make a token', 'POST', '/serviceaccounts/default/token', {}],
  ])('may not %s', async (_, method, path, body) => {
    expect(await account.call(method, `/api/v1/namespaces/${watched}${path}`, body)).toMatchObject({ status: 403, body: { reason: 'Forbidden' } })
  })

  it('may not look into another namespace', async () => {
    expect(await account.call('GET', '/api/v1/namespaces/kube-system/pods')).toMatchObject({ status: 403 })
  })

  it('may do what it needs', async () => {
    expect(await account.call('GET', pod())).toMatchObject({ status: 200 })
    expect(await account.call('GET', `/api/v1/namespaces/${watched}/pods`)).toMatchObject({ status: 200 })
    expect(await account.call('GET', `/api/v1/namespaces/${watched}/events`)).toMatchObject({ status: 200 })
    // Not running: the right is there, the log is not.
    expect((await account.call('GET', `${pod()}/log`)).status).not.toBe(403)
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace: watched } },
    }
    expect(await account.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', review)).toMatchObject({
      status: 201,
      body: { status: { allowed: true } },
    })
  })

  const setVariable = (at: number, words: readonly string[]) => {
    const patch = [{ op: 'replace', path: `/spec/variables/${at}/expression`, value: JSON.stringify(words).replaceAll('"', "'") }]
    return kubectl(['patch', 'validatingadmissionpolicy', service, '--type=json', '-p', JSON.stringify(patch)])
  }

  it('allows each image that is named, and no other', async () => {
    const net = 'registry.example.com/diagnostics-net:1'
    const statuses = async () => Promise.all([image, net, 'other:1'].map(async (each) => (await add([{ ...ours(), image: each }])).status))
    await setVariable(0, [image, net])
    await vi.waitFor(async () => expect(await statuses()).toEqual([200, 200, 422]), { timeout: 30_000, interval: 300 })
    await setVariable(0, [image])
    await vi.waitFor(async () => expect(await statuses()).toEqual([200, 422, 422]), { timeout: 30_000, interval: 300 })
  })

  it.each([
    [['restricted'], { restricted: 200, baseline: 422, general: 422, netadmin: 422, sysadmin: 422 }],
    [['restricted', 'baseline', 'general'], { restricted: 200, baseline: 200, general: 200, netadmin: 422, sysadmin: 422 }],
    [['sysadmin'], { restricted: 200, baseline: 200, general: 422, netadmin: 422, sysadmin: 200 }],
  ] as const)('allows by profiles %j', async (profiles, expected) => {
    await setVariable(1, profiles)
    const statuses = async () => {
      const entries = Object.keys(expected).map(async (profile) => {
        const plan = { profile: profile as keyof typeof expected, ids: profile === 'restricted' ? { uid: 1, gid: 1 } : { uid: 0, gid: 0 } }
        return [profile, (await add([ours(plan)])).status]
      })
      return Object.fromEntries(await Promise.all(entries))
    }
    await vi.waitFor(async () => expect(await statuses()).toEqual(expected), { timeout: 30_000, interval: 300 })
  })
})

describe('what the token of a service outside of the cluster may', () => {
  const service = useNamespace('infra-external')
  const accounts: Awaited<ReturnType<typeof asServiceAccount>>[] = []
  beforeAll(async () => {
    await apply((await render('external', service)).filter(({ kind }) => !/^(Namespace|ValidatingAdmission)/.test(kind)))
    for (const name of ['autodiagnose-token', 'autodiagnose']) accounts.push(await asServiceAccount(service, name))
  })
  afterAll(() => Promise.all(accounts.map((account) => account.close())))

  const askForToken = async (of: string) => {
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } }
    return accounts[0]?.call('POST', `/api/v1/namespaces/${service}/serviceaccounts/${of}/token`, body)
  }

  it('asks for tokens of the one account', async () => {
    await vi.waitFor(async () => expect(await askForToken('autodiagnose')).toMatchObject({ status: 201 }), { timeout: 30_000, interval: 300 })
    for (const other of ['autodiagnose-token', 'default']) expect(await askForToken(other)).toMatchObject({ status: 403 })
  })

  it('has no other right than any account has', async () => {
    const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', spec: { namespace: service } }
    const path = '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews'
    const rulesOf = async (account: (typeof accounts)[number]) => {
      const { resourceRules, nonResourceRules } = (await account.call('POST', path, review)).body.status as Record<string, object[]>
      return [resourceRules, nonResourceRules].flat().map((rule) => JSON.stringify(rule))
    }
    const [rules = [], ofAll] = await Promise.all(accounts.map(rulesOf))
    expect(rules.filter((rule) => !ofAll?.includes(rule)).map((rule) => JSON.parse(rule))).toEqual([
      { verbs: ['create'], apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['autodiagnose'] },
    ])
  })
})
