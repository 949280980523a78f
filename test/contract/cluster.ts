import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Cluster, PodRef, Raw, RawPod } from '../../src/ports/cluster/cluster.ts'

export interface ClusterUnderTest {
  readonly cluster: Cluster
  /** One that the tests have for themselves; its pods are removed by `close`. */
  readonly namespace: string
  /** The part of a container that has a POSIX shell run the script: image, and what else it takes. */
  shell(script: string): Raw
  /** Makes a pod of a manifest in the namespace. */
  createPod(manifest: Raw): Promise<void>
  /** Asks for the pod's deletion. */
  deletePod(name: string): Promise<void>
  /** What the API answers to a plain GET, past the port. */
  raw(path: string): Promise<unknown>
  close(): Promise<void>
}

/** What every cluster must do, a real one and the emulator. */
export function clusterContract(name: string, make: () => Promise<ClusterUnderTest>): void {
  describe(`cluster ${name}`, () => {
    let under: ClusterUnderTest
    const signal = AbortSignal.timeout(300_000)
    const ref = (pod: string): PodRef => ({ namespace: under.namespace, name: pod })
    const nowhere = () => ref('no-such-pod')

    const run = async (pod: string, script: string, spec: Raw = {}): Promise<RawPod> => {
      const container = { name: 'app', ...under.shell(script) }
      await under.createPod({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: pod, labels: { pod } },
        spec: { terminationGracePeriodSeconds: 0, containers: [container], ...spec },
      })
      return until(pod, (now) => now.status.containerStatuses?.every(({ state }) => state?.running ?? state?.terminated))
    }

    /** Watches until the pod is as wanted. */
    const until = async (pod: string, wanted: (pod: RawPod) => unknown): Promise<RawPod> => {
      const bound = AbortSignal.timeout(60_000)
      let last: RawPod | undefined
      for await (const now of under.cluster.watchPod(ref(pod), bound)) {
        last = now
        if (now && wanted(now)) return now
      }
      throw new Error(`pod "${pod}" did not get there: ${JSON.stringify(last)}`)
    }

    const stateOf = (pod: RawPod, container: string) =>
      [...(pod.status.ephemeralContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])].find((status) => status.name === container)?.state
    const ephemeral = (container: string, script: string, more: Raw = {}): Raw => ({ name: container, ...under.shell(script), ...more })
    const add = (pod: RawPod, container: Raw, dryRun = false) =>
      under.cluster.addEphemeralContainer(pod.metadata, pod.metadata.uid, container, { dryRun }, signal)

    let idle: RawPod
    beforeAll(async () => {
      under = await make()
      idle = await run('idle', 'echo one; echo two; echo three; exec sleep 3600')
    })
    afterAll(() => under?.close())

    test('tells its version', async () => {
      expect(await under.cluster.version(signal)).toMatchObject({ major: expect.any(String), gitVersion: expect.stringMatching(/^v1\./) })
    })

    test('reads a pod as the API sent it, or undefined', async () => {
      const path = `/api/v1/namespaces/${under.namespace}/pods/idle`
      await expect.poll(async () => [await under.cluster.getPod(ref('idle'), signal)]).toEqual([await under.raw(path)])
      expect(await under.cluster.getPod(nowhere(), signal)).toBeUndefined()
    })

    test('lists the pods of a label selector', async () => {
      const pods = await under.cluster.listPods(under.namespace, 'pod=idle', signal)
      expect(pods.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([['Pod', 'idle']])
      expect(await under.cluster.listPods(under.namespace, 'pod=no-such-pod', signal)).toEqual([])
    })

    test('reads no workload that is not there', async () => {
      expect(await under.cluster.getWorkload(under.namespace, 'deployment', 'none', signal)).toBeUndefined()
      await expect(under.cluster.getWorkload(under.namespace, 'cronjob', 'none', signal)).rejects.toThrow('Unknown kind of workload "cronjob"')
    })

    test('lists the events of the pod only, as the API sent them', async () => {
      const other = await run('other', 'exec sleep 3600')
      const list = await under.cluster.listPodEvents(other.metadata, other.metadata.uid, signal)
      const events = list.items as { involvedObject: { uid: string; name: string }; reason: string }[]
      expect(list.kind).toBe('EventList')
      expect(events.map(({ reason }) => reason)).toContain('Started')
      expect(new Set(events.map(({ involvedObject }) => involvedObject.uid))).toEqual(new Set([other.metadata.uid]))
      const raw = (await under.raw(`/api/v1/namespaces/${under.namespace}/events`)) as { items: unknown[] }
      expect(raw.items).toEqual(expect.arrayContaining(events))
      expect(raw.items.length).toBeGreaterThan(events.length)
    })

    test('has nothing to tell of what is not there', async () => {
      expect((await under.cluster.listEventsOf(under.namespace, 'ReplicaSet', 'none', signal)).items).toEqual([])
      expect(await under.cluster.listServices(under.namespace, signal)).toEqual([])
      expect(await under.cluster.getNode('none', signal)).toBeUndefined()
    })

    test('has metrics of a pod, or undefined', async () => {
      expect(await under.cluster.podMetrics(nowhere(), signal)).toBeUndefined()
      const metrics = await under.cluster.podMetrics(ref('idle'), signal)
      if (metrics) expect(metrics).toMatchObject({ containers: [{ name: 'app', usage: { memory: expect.stringMatching(/^\d+(Ki|Mi)?$/) } }] })
    })

    test('tells what we may', async () => {
      const attributes = { verb: 'patch', resource: 'pods', subresource: 'ephemeralcontainers', namespace: under.namespace }
      expect(await under.cluster.mayI(attributes, signal)).toBe(true)
    })

    describe('adding a container', () => {
      test('adds nothing on a dry run', async () => {
        expect(await add(idle, ephemeral('dry', 'true'), true)).toEqual({ kind: 'added' })
        expect((await under.cluster.getPod(ref('idle'), signal))?.spec.ephemeralContainers ?? []).toEqual([])
      })

      test('changes nothing the second time', async () => {
        const container = ephemeral('twice', 'echo once')
        expect(await add(idle, container)).toEqual({ kind: 'added' })
        const { metadata } = await until('idle', (pod) => stateOf(pod, 'twice')?.terminated)
        expect(await add(idle, container)).toEqual({ kind: 'added' })
        const again = await under.cluster.getPod(ref('idle'), signal)
        expect(again?.metadata.resourceVersion).toBe(metadata.resourceVersion)
        expect(again?.spec.ephemeralContainers?.filter((one) => one.name === 'twice')).toHaveLength(1)
      })

      test('refuses another spec under a name that is taken', async () => {
        expect(await add(idle, ephemeral('taken', 'echo first'))).toEqual({ kind: 'added' })
        const answer = await add(idle, ephemeral('taken', 'echo second'))
        expect(answer).toMatchObject({
          kind: 'refused',
          code: 'invalid',
          message: expect.stringContaining('another ephemeral container named "taken"'),
        })
        expect(await add(idle, ephemeral('app', 'echo'))).toMatchObject({
          kind: 'refused',
          code: 'invalid',
          message: expect.stringContaining('"app"'),
        })
      })

      test('refuses a pod that was replaced', async () => {
        const uid = '00000000-0000-4000-8000-000000000000'
        const answer = await under.cluster.addEphemeralContainer(ref('idle'), uid, ephemeral('late', 'true'), {}, signal)
        expect(answer).toMatchObject({ kind: 'refused', code: 'pod-replaced', message: expect.stringContaining(uid) })
      })

      test('refuses a pod that is not there', async () => {
        const answer = await under.cluster.addEphemeralContainer(nowhere(), idle.metadata.uid, ephemeral('none', 'true'), {}, signal)
        expect(answer).toMatchObject({ kind: 'refused', code: 'pod-not-found', message: expect.stringContaining('no-such-pod') })
      })

      test('refuses a target container that is not there', async () => {
        const answer = await add(idle, ephemeral('blind', 'true', { targetContainerName: 'nobody' }), true)
        expect(answer).toMatchObject({ kind: 'refused', code: 'container-not-found', message: expect.stringContaining('"nobody"') })
      })

      test('takes arguments as data', async () => {
        const words = 'a "b" $(touch x) `y` \\ \n\u00fc\u{1f34e}'
        const container = ephemeral('words', `: '${words}'`)
        expect(await add(idle, container)).toEqual({ kind: 'added' })
        const pod = await under.cluster.getPod(ref('idle'), signal)
        expect(pod?.spec.ephemeralContainers?.find((one) => one.name === 'words')).toMatchObject(container)
      })
    })

    describe('watching a pod', () => {
      test('sees a container start and end', async () => {
        const watch = under.cluster.watchPod(ref('idle'), AbortSignal.timeout(60_000))[Symbol.asyncIterator]()
        await watch.next()
        const [started, seen] = [add(idle, ephemeral('watched', 'sleep 1; exit 7', { targetContainerName: 'app' })), new Set<string>()]
        for (let next = await watch.next(); !next.done; next = await watch.next()) {
          const state = next.value && stateOf(next.value, 'watched')
          for (const kind of Object.keys(state ?? {})) seen.add(kind)
          if (!state?.terminated) continue
          expect(state.terminated).toMatchObject({ exitCode: 7, finishedAt: expect.stringMatching(/^\d{4}-/) })
          break
        }
        expect(await started).toEqual({ kind: 'added' })
        expect([...seen]).toEqual(expect.arrayContaining(['running', 'terminated']))
      })

      test('ends with undefined when the pod is deleted', async () => {
        const pod = await run('deleted', 'exec sleep 3600')
        const seen: (RawPod | undefined)[] = []
        for await (const now of under.cluster.watchPod(pod.metadata, AbortSignal.timeout(60_000))) {
          if (seen.push(now) === 1) await under.deletePod('deleted')
        }
        expect(seen[0]?.metadata.uid).toBe(pod.metadata.uid)
        expect(seen.at(-1)).toBeUndefined()
        expect(seen.filter((one) => one === undefined)).toHaveLength(1)
        expect(await under.cluster.getPod(ref('deleted'), signal)).toBeUndefined()
      })

      test('ends with undefined where there is no pod', async () => {
        const seen: (RawPod | undefined)[] = []
        for await (const now of under.cluster.watchPod(nowhere(), signal)) seen.push(now)
        expect(seen).toEqual([undefined])
      })

      test('ends when the caller aborts', async () => {
        const abort = new AbortController()
        let seen = 0
        for await (const _ of under.cluster.watchPod(ref('idle'), abort.signal)) {
          seen += 1
          abort.abort()
        }
        expect(seen).toBe(1)
      })
    })

    describe('a log', () => {
      const open = (pod: string, container: string, options: { sinceTime?: string; follow?: boolean } = {}) =>
        under.cluster.openLog(ref(pod), container, { follow: false, ...options }, signal)
      const textOf = async (answer: Awaited<ReturnType<typeof open>>): Promise<string> => {
        expect(answer).toMatchObject({ kind: 'open' })
        return answer.kind === 'open' ? new Response(answer.body).text() : ''
      }
      const line = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+)(Z|[+-]\d\d:\d\d) (.*)$/

      test('has a time on each line, and begins at the second that is asked for', async () => {
        await add(idle, ephemeral('printing', 'echo 1; sleep 2; echo 2; echo 3'))
        await until('idle', (pod) => stateOf(pod, 'printing')?.terminated)
        const lines = (await textOf(await open('idle', 'printing'))).trimEnd().split('\n')
        expect(lines.map((text) => line.exec(text)?.[3])).toEqual(['1', '2', '3'])
        const [, time = '', zone = ''] = line.exec(lines[1] ?? '') ?? []
        const since = await textOf(await open('idle', 'printing', { sinceTime: `${time.slice(0, 19)}${zone}` }))
        expect(since.trimEnd().split('\n')).toEqual(lines.slice(1))
      })

      test('is followed to the end of the container', async () => {
        await add(idle, ephemeral('followed', 'sleep 1; echo 1; sleep 1; echo 2'))
        await until('idle', (pod) => stateOf(pod, 'followed')?.running)
        const lines = (await textOf(await open('idle', 'followed', { follow: true }))).trimEnd().split('\n')
        expect(lines.map((text) => line.exec(text)?.[3])).toEqual(['1', '2'])
        expect(await until('idle', (pod) => stateOf(pod, 'followed')?.terminated)).toBeDefined()
      })

      test('is waited for while the container cannot start', async () => {
        await add(idle, { name: 'imageless', image: 'localhost/no-such-image:1', imagePullPolicy: 'Never' })
        await until('idle', (pod) => stateOf(pod, 'imageless')?.waiting)
        expect(await open('idle', 'imageless', { follow: true })).toMatchObject({ kind: 'wait', message: expect.stringContaining('imageless') })
      })

      test('is gone where there is no such pod or container', async () => {
        expect(await open('no-such-pod', 'app')).toMatchObject({ kind: 'gone', message: expect.stringContaining('no-such-pod') })
        expect(await open('idle', 'nobody')).toMatchObject({ kind: 'gone', message: expect.stringContaining('nobody') })
      })

      test('has an end', async () => {
        const tail = async (pod: string, tailLines: number, limitBytes: number, previous = false) => {
          const bytes = await under.cluster.tailLog(ref(pod), 'app', { tailLines, limitBytes, previous }, signal)
          return bytes && new TextDecoder().decode(bytes)
        }
        expect(await tail('idle', 2, 1000)).toBe('two\nthree\n')
        expect(await tail('idle', 100, 10)).toBe('two\nthree\n')
        expect(await tail('idle', 100, 9)).toBe('three\n')
        expect(await tail('idle', 100, 4)).toBe('ree\n')
        expect(await tail('idle', 1, 1000, true)).toBeUndefined()
        expect(await tail('no-such-pod', 1, 1000)).toBeUndefined()
      })

      test('can be had of a completed pod', async () => {
        const pod = await run('completed', 'echo done', { restartPolicy: 'Never' })
        await until('completed', ({ status }) => status.phase === 'Succeeded')
        expect((await textOf(await open('completed', 'app', { follow: true }))).endsWith(' done\n')).toBe(true)
        // The API takes the container, though no kubelet will ever start it.
        expect(await add(pod, ephemeral('never', 'true'), true)).toEqual({ kind: 'added' })
      })
    })

    test('rejects with what the caller aborted for', async () => {
      const reason = new Error('the caller has gone')
      await expect(under.cluster.getPod(ref('idle'), AbortSignal.abort(reason))).rejects.toBe(reason)
    })
  })
}
