import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { parse } from 'yaml'
import { ClusterForbidden, type Raw } from '../../src/ports/cluster/cluster.ts'
import { inClusterTransport } from '../../src/ports/cluster/in-cluster.ts'
import { kubeconfigTransport } from '../../src/ports/cluster/kubeconfig.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { clusterContract } from '../contract/cluster.ts'
import { wallClock } from '../contract/wall-clock.ts'
import { isLab, kubectl, labVariable, needsLab, useNamespace } from './environment.ts'

const signal = AbortSignal.timeout(300_000)
const kubeconfig = () => process.env.KUBECONFIG ?? ''
const clusterOf = (file: string) => kubernetesCluster({ name: 'test', transport: kubeconfigTransport({ file }), clock: wallClock })
const image = isLab ? 'localhost/tools:1' : (process.env.AUTODIAGNOSE_TEST_IMAGE ?? 'busybox:1.37')

const hasAccount = (namespace: string) => vi.waitFor(() => kubectl(['-n', namespace, 'get', 'serviceaccount', 'default']), { timeout: 20_000 })

describe('the real one', () => {
  const namespace = useNamespace('port')
  beforeAll(async () => {
    // Pods wait for the namespace's service account, which is made a moment later.
    await hasAccount(namespace)
  })
  clusterContract('kubernetes', async () => ({
    cluster: clusterOf(kubeconfig()),
    namespace,
    shell: (script) => ({ image, imagePullPolicy: 'IfNotPresent', command: ['sh'], args: ['-c', script] }),
    createPod: async (manifest) => void (await kubectl(['-n', namespace, 'create', '-f', '-'], JSON.stringify(manifest))),
    deletePod: async (name) => void (await kubectl(['-n', namespace, 'delete', 'pod', name, '--wait=false'])),
    raw: async (path) => JSON.parse(await kubectl(['get', '--raw', path])),
    close: async () => undefined,
  }))

  test('keeps microseconds and fields that no client knows', async () => {
    const events = await clusterOf(kubeconfig()).listPodEvents(
      { namespace, name: 'idle' },
      (await clusterOf(kubeconfig()).getPod({ namespace, name: 'idle' }, signal))?.metadata.uid ?? '',
      signal,
    )
    const scheduled = (events.items as Raw[]).find(({ reason }) => reason === 'Scheduled')
    expect(scheduled?.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    const pod = await clusterOf(kubeconfig()).getPod({ namespace, name: 'idle' }, signal)
    expect(JSON.stringify(pod?.metadata.managedFields)).toContain('"f:spec"')
  })
})

describe('refusals of the lab', () => {
  needsLab()
  const diagnostic = (more: Raw = {}): Raw => ({ name: 'refused', image: 'localhost/tools:1', args: ['true'], ...more })
  const dryRun = async (file: string, namespace: string, name: string, container: Raw) => {
    const uid = (await clusterOf(kubeconfig()).getPod({ namespace, name }, signal))?.metadata.uid ?? 'none'
    return clusterOf(file).addEphemeralContainer({ namespace, name }, uid, container, { dryRun: true }, signal)
  }

  test('pod security', async () => {
    const answer = await dryRun(kubeconfig(), 'fruit-restricted', 'apples', diagnostic())
    expect(answer).toMatchObject({
      kind: 'refused',
      code: 'pod-security',
      message: expect.stringMatching(/"fruit-restricted".*violates PodSecurity/),
    })
    const debugging = diagnostic({ securityContext: { capabilities: { add: ['SYS_PTRACE'] } } })
    expect(await dryRun(kubeconfig(), 'fruit-baseline', 'apples', debugging)).toMatchObject({ kind: 'refused', code: 'pod-security' })
    expect(await dryRun(kubeconfig(), 'fruit-baseline', 'apples', diagnostic())).toEqual({ kind: 'added' })
  })

  test('rights', async () => {
    const answer = await dryRun(labVariable('LAB_KUBECONFIG_OPS'), 'fruit-baseline', 'apples', diagnostic())
    expect(answer).toMatchObject({
      kind: 'refused',
      code: 'rbac',
      message: expect.stringMatching(/may not add containers in namespace "fruit-baseline".*"ops"/),
    })
    const guest = clusterOf(labVariable('LAB_KUBECONFIG_GUEST'))
    const pod = { namespace: 'fruit-baseline', name: 'apples' }
    await expect(guest.getPod(pod, signal)).rejects.toBeInstanceOf(ClusterForbidden)
    await expect(guest.openLog(pod, 'apples', { follow: false }, signal)).rejects.toThrow('Cannot follow the log of container "apples"')
    await expect(guest.tailLog(pod, 'apples', { tailLines: 1, limitBytes: 9 }, signal)).rejects.toBeInstanceOf(ClusterForbidden)
    await expect(guest.watchPod(pod, signal)[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ClusterForbidden)
    await expect(guest.podMetrics(pod, signal)).rejects.toBeInstanceOf(ClusterForbidden)
    expect(await guest.mayI({ verb: 'get', resource: 'pods', namespace: 'fruit' }, signal)).toBe(false)
    expect(await guest.whoAmI(signal)).toMatch(/guest/)
  })

  test('a static pod', async () => {
    const answer = await dryRun(kubeconfig(), 'fruit', 'orchard-lab', diagnostic())
    expect(answer).toMatchObject({ kind: 'refused', code: 'static-pod', message: expect.stringContaining('"fruit/orchard-lab"') })
  })
})

describe('an admission policy', () => {
  const namespace = useNamespace('admission')
  const policy = `autodiagnose-test-${namespace.slice(-6)}`
  const objects = {
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name: policy },
        spec: {
          failurePolicy: 'Fail',
          matchConstraints: {
            resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['pods/ephemeralcontainers'], operations: ['UPDATE'] }],
          },
          validations: [
            { expression: `!object.spec.ephemeralContainers.exists(c, c.name == 'curious')`, message: 'curious containers are not for this place' },
            {
              expression: `object.spec.ephemeralContainers.all(c, c.name != 'limitless' || has(c.resources.limits))`,
              message: 'containers must have cpu and memory limits',
            },
          ],
        },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1',
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name: policy },
        spec: {
          policyName: policy,
          validationActions: ['Deny'],
          matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
        },
      },
    ],
  }
  beforeAll(async () => {
    await kubectl(['create', '-f', '-'], JSON.stringify(objects))
    await hasAccount(namespace)
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'idle' },
      spec: { containers: [{ name: 'app', image, command: ['sleep', '3600'] }], terminationGracePeriodSeconds: 0 },
    }
    await kubectl(['-n', namespace, 'create', '-f', '-'], JSON.stringify(pod))
  })
  afterAll(async () => {
    await kubectl(['delete', '-f', '-', '--ignore-not-found'], JSON.stringify(objects))
  })

  test('is told apart from one that can never be met', async () => {
    const pod = { namespace, name: 'idle' }
    const uid = (await clusterOf(kubeconfig()).getPod(pod, signal))?.metadata.uid ?? ''
    const ask = (name: string) => clusterOf(kubeconfig()).addEphemeralContainer(pod, uid, { name, image }, { dryRun: true }, signal)
    // A new policy takes a moment until it is enforced.
    await expect
      .poll(() => ask('curious'), { timeout: 30_000 })
      .toMatchObject({ kind: 'refused', code: 'admission', message: expect.stringContaining('curious containers are not') })
    expect(await ask('limitless')).toMatchObject({
      kind: 'refused',
      code: 'impossible-policy',
      message: expect.stringContaining('exempt ephemeral containers'),
    })
    expect(await ask('harmless')).toEqual({ kind: 'added' })
  })
})

describe('inClusterTransport', () => {
  const namespace = useNamespace('account')
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'account-'))
    for (const name of ['first', 'second']) await kubectl(['-n', namespace, 'create', 'serviceaccount', name])
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  /** As the kubelet does it: the new file takes the place of the old one at once. */
  const put = async (name: string, text: string) => {
    await writeFile(join(directory, 'new'), text)
    await rename(join(directory, 'new'), join(directory, name))
  }
  const token = async (account: string) => kubectl(['-n', namespace, 'create', 'token', account])

  test('takes a renewed token and authority at the next request', async () => {
    const view = parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten']))
    const { server, 'certificate-authority-data': ca } = view.clusters[0].cluster
    const { hostname, port } = new URL(server)
    await put('token', await token('first'))
    const transport = inClusterTransport({ host: hostname.replace(/^\[|\]$/g, ''), port: port || '443', directory })
    const cluster = kubernetesCluster({ name: 'account', transport, clock: wallClock })

    await put('ca.crt', await readFile(new URL('../fixtures/another-authority.pem', import.meta.url), 'utf8'))
    await expect(cluster.version(signal)).rejects.toThrow(/cannot reach the API server of cluster "account": .*certificate/)
    await put('ca.crt', Buffer.from(ca, 'base64').toString())
    expect(await cluster.version(signal)).toMatchObject({ major: '1' })

    const whoAmI = () => cluster.getPod({ namespace, name: 'none' }, signal).catch(String)
    expect(await whoAmI()).toContain(`system:serviceaccount:${namespace}:first`)
    await put('token', await token('second'))
    expect(await whoAmI()).toContain(`system:serviceaccount:${namespace}:second`)
    await put('token', 'not-a-token')
    await expect(cluster.version(signal)).rejects.toThrow(/does not accept our credentials/)
    await rm(join(directory, 'token'))
    await expect(cluster.version(signal)).rejects.toThrow(/automountServiceAccountToken/)
  })
})
