import { describe, expect, test } from 'vitest'
import { type ConfigInput, configSchema } from '../../src/config.ts'
import { admissionPolicyProblem, policyRefusal } from '../../src/diagnosis/inject/policy-probe.ts'
import type { AddAnswer, Raw } from '../../src/ports/cluster/cluster.ts'

const signal = new AbortController().signal
const spec = { name: 'ad-0123456789abcdefghjk-1', image: 'registry.example/diagnostics:1', args: ['--no-target'] }
const probe = { cluster: 'main', pod: { namespace: 'shop', name: 'cart' }, uid: 'u1', spec }
const denied: AddAnswer = { kind: 'refused', code: 'admission', message: 'ValidatingAdmissionPolicy denied' }

/** A cluster whose admission refuses what the function says, and remembers what it was asked. */
function clusterThat(refuses: (container: Raw) => boolean, who = 'system:serviceaccount:autodiagnose:autodiagnose') {
  const asked: { container: Raw; dryRun: boolean | undefined }[] = []
  return {
    asked,
    whoAmI: async () => who,
    addEphemeralContainer: async (_: unknown, __: string, container: Raw, { dryRun }: { readonly dryRun?: boolean }): Promise<AddAnswer> => {
      asked.push({ container, dryRun })
      return refuses(container) ? denied : { kind: 'added' }
    },
  }
}
const ours = (container: Raw) => container.image !== spec.image || container.command !== undefined
const none = () => false

/** What the service does, with its clock and what it logged. */
const service = (diagnosis: ConfigInput['diagnosis'], main: ConfigInput['clusters'][string] = { inCluster: true }) => {
  const values = new Map<string, unknown>()
  const logged: unknown[][] = []
  const time = { now: 0 }
  const deps = {
    config: configSchema.parse({ publicUrl: 'https://d.example', clusters: { main }, store: { kind: 'files', directory: 'x' }, diagnosis }),
    records: { getValue: async (key: string) => values.get(key), setValue: async (key: string, value: unknown) => void values.set(key, value) },
    clock: { now: () => time.now },
    log: (...words: unknown[]) => void logged.push(words),
  } as unknown as Parameters<typeof policyRefusal>[2]
  return { time, logged, deps, ask: (cluster: ReturnType<typeof clusterThat>, of = probe) => policyRefusal(of, cluster, deps, signal) }
}

describe('admissionPolicyProblem', () => {
  test('is none where a foreign image and a command are refused, which are asked for by dry run', async () => {
    const cluster = clusterThat(ours)
    expect(await admissionPolicyProblem(probe, cluster, service({}).deps, signal)).toBeUndefined()
    expect(cluster.asked).toEqual([
      { container: { ...spec, image: 'autodiagnose.invalid/policy-probe' }, dryRun: true },
      { container: { ...spec, command: ['/bin/false'] }, dryRun: true },
    ])
  })

  test.each([
    ['no policy', none, 'any image and any command'],
    ['one that looks at images alone', (container: Raw) => container.image !== spec.image, 'any command'],
    ['one that looks at commands alone', (container: Raw) => container.command !== undefined, 'any image'],
  ])('names what is taken by %s, and what to do', async (_, refuses, words) => {
    expect(await admissionPolicyProblem(probe, clusterThat(refuses), service({}).deps, signal)).toMatch(
      new RegExp(`^No admission policy .* namespace "shop": it could run ${words} in its pods; apply the policy .*[^.]$`),
    )
  })
})

describe('policyRefusal', () => {
  test('refuses where a policy is required, until there is one', async () => {
    const { ask } = service({ admissionPolicy: 'required' })
    const refusal = { code: 'admission', message: expect.stringContaining('No admission policy bounds this service in namespace "shop"') }
    expect(await ask(clusterThat(none))).toEqual(refusal)
    expect(await ask(clusterThat(none))).toEqual(refusal)
    expect(await ask(clusterThat(ours))).toBeUndefined()
  })

  test('warns by default, once an hour for each namespace', async () => {
    const { ask, logged, time } = service({})
    const cluster = clusterThat(none)
    for (const now of [0, 1, 3_599_999]) {
      time.now = now
      expect(await ask(cluster)).toBeUndefined()
    }
    expect(logged).toEqual([['warn', expect.stringContaining('any image and any command'), { cluster: 'main', namespace: 'shop' }]])
    await ask(cluster, { ...probe, pod: { namespace: 'bank', name: 'teller' } })
    time.now = 3_600_000
    await ask(cluster)
    expect(logged.map(([, , data]) => (data as { namespace: string }).namespace)).toEqual(['shop', 'bank', 'shop'])
  })

  test('asks again after an hour whether the policy is still there', async () => {
    const { ask, time } = service({ admissionPolicy: 'required' })
    await ask(clusterThat(ours))
    const cluster = clusterThat(none)
    expect(await ask(cluster)).toBeUndefined()
    expect(cluster.asked).toEqual([])
    time.now = 3_600_000
    expect(await ask(cluster)).toMatchObject({ code: 'admission' })
  })

  test('asks again for another account, which the policy may not name', async () => {
    const { ask } = service({ admissionPolicy: 'required' })
    expect(await ask(clusterThat(ours))).toBeUndefined()
    expect(await ask(clusterThat(none, 'system:serviceaccount:other:other'))).toMatchObject({ code: 'admission' })
    expect(await ask(clusterThat(ours))).toBeUndefined()
  })

  test('heeds what a preflight found meanwhile', async () => {
    const { ask, deps } = service({ admissionPolicy: 'required' })
    expect(await ask(clusterThat(ours))).toBeUndefined()
    expect(await admissionPolicyProblem(probe, clusterThat(none), deps, signal)).toBeDefined()
    expect(await ask(clusterThat(none))).toMatchObject({ code: 'admission' })
  })

  test.each([
    ['the configuration says so', service({ admissionPolicy: 'unchecked' })],
    ['the cluster is emulated', service({ admissionPolicy: 'required' }, { emulator: { directory: 'x' } })],
  ])('asks nothing where %s', async (_, { ask, logged }) => {
    const cluster = clusterThat(none)
    expect(await ask(cluster)).toBeUndefined()
    expect([cluster.asked, logged]).toEqual([[], []])
  })
})
