import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/diagnosis/diagnosis.ts'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, event, gatherOf, secondsAgo } from './gather-world.ts'

/** The words are those of Kubernetes 1.34 with containerd 1.6, as the lab gave them. */

const web = captured('healthy-web')
const of = (container: string) => ({ involvedObject: { fieldPath: `spec.containers{${container}}` } })
const first = async (world: Captured): Promise<Finding | undefined> => (await gatherOf(world)).gathered.findings[0]

const statuses = (state: Raw, more: Raw = {}) => ({
  initContainerStatuses: [],
  containerStatuses: [{ name: 'shop', image: 'localhost/shop:2.4.1', restartCount: 0, ready: false, state, ...more }],
  conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime: secondsAgo(300) }],
})
const waiting = (reason: string, message = '', container: Raw = {}, events: readonly Raw[] = []): Captured => ({
  ...changed(web, {
    status: { phase: 'Pending', ...statuses({ waiting: { reason, message } }) },
    container: { image: 'localhost/shop:2.4.1', ...container },
  }),
  events: { items: events },
  log: '',
  previousLog: '',
})

describe('an image that cannot be pulled', () => {
  const pull = (message: string) => waiting('ErrImagePull', message)
  const failed = (rest: string) =>
    pull(`failed to pull and unpack image "localhost/shop:2.4.1": failed to resolve reference "localhost/shop:2.4.1": ${rest}`)
  test.each([
    [
      'failed to do request: Head "https://depot.invalid/v2/": dial tcp: lookup depot.invalid on 10.0.0.2:53: no such host',
      /name of its registry cannot be resolved/,
    ],
    ['failed to do request: Head "http://localhost/v2/": dial tcp 127.0.0.1:80: connect: connection refused', /its registry refuses connections/],
    ['failed to do request: Head "https://10.9.9.9/v2/": dial tcp 10.9.9.9:443: i/o timeout', /does not answer in time/],
    ['failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized', /denies access/],
    [
      'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope',
      /no such image in the registry, or access to it is denied/,
    ],
    ['localhost/shop:2.4.1: not found', /no such image or tag.*not found/],
    [
      'failed to do request: Head "https://depot/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      /certificate of its registry/,
    ],
    ['httpReadSeeker: failed open: unexpected status code 429 Too Many Requests - Server message: toomanyrequests: limit', /limits how often/],
    ['no match for platform in manifest: not found', /none for the platform of the node/],
  ])('%s', async (words, verdict) => {
    const finding = await first(failed(words))
    expect(finding).toMatchObject({
      id: 'image/shop/pull',
      severity: 'error',
      title: expect.stringMatching(/^Container shop does not start: its image localhost\/shop:2\.4\.1 cannot be pulled/),
    })
    expect(finding?.title).toMatch(verdict)
  })

  test('says why while the kubelet backs off, also where only an event knows it', async () => {
    const told = event(
      'Failed',
      'Failed to pull image "localhost/shop:2.4.1": rpc error: code = Unknown desc = failed to resolve reference: unexpected status: 403 Forbidden',
      of('shop'),
    )
    const finding = await first(waiting('ImagePullBackOff', 'Back-off pulling image "localhost/shop:2.4.1"', {}, [told]))
    expect(finding).toMatchObject({ id: 'image/shop/pull', title: expect.stringMatching(/denies access/) })
  })

  test.each([
    [
      'InvalidImageName',
      'couldn\'t parse image name "localhost/Shop:1": repository name (Shop) must be lowercase',
      'image/shop/name',
      /not valid.*lowercase/,
    ],
    ['ErrImageNeverPull', 'Container image "x" is not present with pull policy of Never', 'image/shop/never-pull', /imagePullPolicy is Never/],
  ])('%s', async (reason, message, id, words) => {
    expect(await first(waiting(reason, message))).toMatchObject({ id, title: expect.stringMatching(words) })
  })

  test('one that is pulled for minutes is told, and a fresh one is not', async () => {
    const pulling = (seconds: number) =>
      waiting('ContainerCreating', '', {}, [event('Pulling', 'Pulling image', { type: 'Normal', lastTimestamp: secondsAgo(seconds), ...of('shop') })])
    expect(await first(pulling(200))).toMatchObject({ id: 'image/shop/slow', severity: 'warn', title: expect.stringMatching(/has waited 3 min/) })
    expect(await first(pulling(20))).toBeUndefined()
  })
})

describe('a container that is not created', () => {
  test.each([
    [
      'secret "shop-db" not found',
      { env: [{ name: 'DB', valueFrom: { secretKeyRef: { name: 'shop-db', key: 'x' } } }] },
      /secret "shop-db" not found, for its variable DB$/,
    ],
    ['configmap "flags" not found', { envFrom: [{ configMapRef: { name: 'flags' } }] }, /configmap "flags" not found, for its envFrom$/],
    [
      "couldn't find key url in ConfigMap shop/settings",
      { env: [{ name: 'URL', valueFrom: { configMapKeyRef: { name: 'settings', key: 'url' } } }] },
      /key url in ConfigMap shop\/settings, for its variable URL$/,
    ],
    ['container has runAsNonRoot and image will run as root (pod: "shop_a(9d1c)", container: shop)', {}, /image will run as root$/],
  ])('%s', async (message, container, title) => {
    expect(await first(waiting('CreateContainerConfigError', message, container))).toMatchObject({
      id: 'waiting/shop/CreateContainerConfigError',
      title: expect.stringMatching(title),
      cause: expect.any(String),
    })
  })

  test.each([
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found',
      'mount/tls',
      /volume tls cannot be mounted: secret "shop-tls" not found$/,
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "media" : hostPath type check failed: /srv/x is not a directory',
      'mount/media',
      /\/srv\/x is not a directory$/,
    ],
    [
      'FailedMount',
      'Unable to attach or mount volumes: unmounted volumes=[data], unattached volumes=[], failed to process volumes=[]: timed out waiting for the condition',
      'mount/data',
      /volume data cannot be mounted: timed out waiting/,
    ],
    [
      'FailedMount',
      'MountVolume.SetUp failed for volume "nfs" : mount failed: exit status 32\nMounting command: mount\nOutput: mount.nfs: Connection timed out',
      'mount/nfs',
      /volume nfs cannot be mounted: mount\.nfs: Connection timed out$/,
    ],
    [
      'FailedAttachVolume',
      'Multi-Attach error for volume "pvc-1" Volume is already used by pod(s) cart-0',
      'mount/pvc-1',
      /volume pvc-1 cannot be attached: Volume is already used by pod\(s\) cart-0$/,
    ],
    [
      'FailedCreatePodSandBox',
      'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "aa": plugin type="bridge" failed',
      'sandbox/network',
      /sandbox of the pod cannot be made: failed to setup network/,
    ],
  ])('%s: %s', async (reason, message, id, title) => {
    expect(await first(waiting('ContainerCreating', '', {}, [event(reason, message)]))).toMatchObject({
      id,
      severity: 'error',
      title: expect.stringMatching(title),
    })
  })

  test.each([
    ['FailedMount', 'MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found', 'mount/tls'],
    ['FailedCreatePodSandBox', 'Failed to create pod sandbox: plugin type="bridge" failed to setup network', 'sandbox/network'],
  ])('is told the same before and after the kubelet posts its status: %s', async (reason, message, id) => {
    const posted = waiting('ContainerCreating', '', {}, [event(reason, message)])
    const { conditions } = statuses({})
    const bound = { ...posted, pod: { ...posted.pod, status: { phase: 'Pending', conditions, startTime: secondsAgo(3) } } }
    const both = await Promise.all([posted, bound].map(async (world) => (await gatherOf(world as Captured)).gathered.findings))
    expect(both[0]).toMatchObject([{ id, severity: 'error' }])
    expect(both[1]).toEqual(both[0])
  })

  test('the cause counts, not that it lasted', async () => {
    const events = [
      event('FailedMount', 'MountVolume.SetUp failed for volume "tls" : secret "shop-tls" not found', { lastTimestamp: secondsAgo(60) }),
      event('FailedMount', 'Unable to attach or mount volumes: unmounted volumes=[tls], unattached volumes=[]: timed out waiting for the condition'),
    ]
    const { findings } = (await gatherOf(waiting('ContainerCreating', '', {}, events))).gathered
    expect(findings.map(({ id, title }) => [id, /not found/.test(title)])).toEqual([['mount/tls', true]])
  })

  test('what passes by itself counts less than what is missing, and more than waiting for it', async () => {
    const said = (message: string, seconds: number) => event('FailedMount', message, { lastTimestamp: secondsAgo(seconds) })
    const missing = said('MountVolume.SetUp failed for volume "all" : configmap "report-themes" not found', 90)
    const late = said('MountVolume.SetUp failed for volume "all" : failed to sync configmap cache: timed out waiting for the condition', 30)
    const generic = said('Unable to attach or mount volumes: unmounted volumes=[all], unattached volumes=[]: timed out waiting for the condition', 5)
    const title = async (...events: ReturnType<typeof said>[]) => (await first(waiting('ContainerCreating', '', {}, events)))?.title
    expect(await title(missing, late, generic)).toMatch(/configmap "report-themes" not found$/)
    expect(await title(late, generic)).toMatch(/failed to sync configmap cache/)
  })
})

describe('a program that cannot be started', () => {
  test.each([
    [
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/x": stat /x: no such file or directory: unknown',
      'exec: "/x": stat /x: no such file or directory',
      /no such program/,
    ],
    [
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "x": executable file not found in $PATH: unknown',
      'exec: "x": executable file not found in $PATH',
      /no such program/,
    ],
    [
      'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/x": permission denied: unknown',
      'exec: "/x": permission denied',
      /may not be executed/,
    ],
  ])('%s', async (message, words, cause) => {
    const terminated = { exitCode: 128, reason: 'StartError', message, startedAt: '1970-01-01T00:00:00Z', finishedAt: secondsAgo(5) }
    for (const reason of ['RunContainerError', 'CrashLoopBackOff']) {
      const world = waiting(reason, reason === 'RunContainerError' ? message : 'back-off 10s restarting failed container')
      const status = { phase: 'Running', ...statuses({ waiting: { reason } }, { restartCount: 1, lastState: { terminated } }) }
      expect(await first(changed(world, { status }))).toMatchObject({
        id: 'start/shop',
        title: `Container shop could not be started again and again, tried 2 times: ${words}`,
        cause: expect.stringMatching(cause),
      })
    }
  })

  test('a postStart hook that fails is why the container was killed', async () => {
    const terminated = { exitCode: 137, reason: 'Error', startedAt: secondsAgo(40), finishedAt: secondsAgo(38) }
    const status = {
      phase: 'Running',
      ...statuses({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } }, { restartCount: 2, lastState: { terminated } }),
    }
    const world = changed(waiting('x', '', { lifecycle: { postStart: { exec: { command: ['/register', 'made-up'] } } } }), { status })
    const { findings } = (await gatherOf({ ...world, events: { items: [event('FailedPostStartHook', 'PostStartHook failed', of('shop'))] } }))
      .gathered
    expect(findings.map(({ id }) => id)).toEqual(['hook/shop/post-start'])
    expect(findings[0]?.title).toBe('The postStart hook of container shop (/register) fails, and the kubelet kills the container')
  })
})
