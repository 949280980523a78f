import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import policies from '../../infra/kubernetes/base/admission-policy.yaml?raw'
import { defaultChecks, type Profile, targetChecks } from '../../src/diagnosis/diagnosis.ts'
import type { Gathered } from '../../src/diagnosis/gathered.ts'
import { addContainer, tryCandidates } from '../../src/diagnosis/inject/add-container.ts'
import { chooseProfiles } from '../../src/diagnosis/inject/choose-profile.ts'
import type { PlanInput } from '../../src/diagnosis/inject/plan-container.ts'
import type { AddAnswer, Raw } from '../../src/ports/cluster/cluster.ts'

import { configOf, gathered, id, now, plan, refusal, request, specOf } from './inject-world.ts'

describe('chooseProfiles', () => {
  const root = { uid: 0, gid: 0 }
  const nobody = { uid: 65532, gid: 65532 }
  test.each([
    ['a target with an id of its own', { uid: 1000, gid: 3000 }, 1000, [{ profile: 'restricted', ids: { uid: 1000, gid: 3000 } }]],
    [
      'a root target',
      root,
      0,
      [
        { profile: 'baseline', ids: root },
        { profile: 'restricted', ids: nobody },
      ],
    ],
    [
      'a root target whose group is not known',
      undefined,
      0,
      [
        { profile: 'baseline', ids: root },
        { profile: 'restricted', ids: nobody },
      ],
    ],
    ['a target whose group is not known', undefined, 1000, [{ profile: 'restricted', ids: { uid: 1000, gid: 65532 } }]],
    ['an unknown target', undefined, undefined, [{ profile: 'restricted', ids: nobody }]],
  ])('takes for %s the least that sees it', (_, ids, uid, choices) => {
    expect(chooseProfiles('auto', ids, uid)).toEqual(choices)
  })

  test('never runs restricted as root, and takes no other profile than the one asked for', () => {
    expect(chooseProfiles('restricted', root, 0)).toEqual([{ profile: 'restricted', ids: nobody }])
    expect(chooseProfiles('baseline', { uid: 1000, gid: 3000 }, 1000)).toEqual([{ profile: 'baseline', ids: { uid: 1000, gid: 3000 } }])
    for (const profile of ['general', 'netadmin', 'sysadmin'] as const)
      expect(chooseProfiles(profile, { uid: 1000, gid: 1 }, 1000)).toEqual([{ profile, ids: root }])
  })
})

describe('planContainer', () => {
  test('makes the whole spec from what was gathered', () => {
    expect(specOf()).toEqual({
      name: `${id}-1`,
      image: 'localhost/autodiagnose:1',
      imagePullPolicy: 'IfNotPresent',
      args: [
        `--diagnosis=${id}-1`,
        // Up to 60 s to start and 60 s to run, rounded up.
        `--expires=${Math.ceil(now / 1000) + 120}`,
        '--deadline=60',
        '--output-bytes=8388608',
        ...defaultChecks,
        'http=http://stock:8080/',
      ],
      securityContext: {
        runAsUser: 1000,
        runAsGroup: 3000,
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      },
      targetContainerName: 'app',
    })
  })

  test('leaves out a target that does not run', () => {
    const spec = specOf({ gathered: { ...gathered, targetRunning: false } })
    expect(spec).not.toHaveProperty('targetContainerName')
    expect(spec.args).toContain('--no-target')
  })

  test('names the target by its id only where processes are shared', () => {
    expect(specOf().args.join(' ')).not.toContain('--target-id')
    expect(specOf({ gathered: { ...gathered, sharedProcesses: true } }).args).toContain(`--target-id=${'a'.repeat(64)}`)
  })

  test('runs the checks that were asked for and no other, with parameters as data', () => {
    const checks = [
      { name: 'http', param: "http://x:1/$(reboot)';`id`" },
      { name: 'dns', param: 'a b' },
    ]
    expect(specOf({ request: { ...request, checks } }).args.slice(4)).toEqual(["http=http://x:1/$(reboot)';`id`", 'dns=a b'])
  })

  test('has the second container look only where the first was blind, in the one form that sees', () => {
    const planned = plan({ attempt: 2, containerName: `${id}-2`, foundIds: { uid: 0, gid: 0 } })
    expect(planned).toMatchObject({ kind: 'inject', candidates: [{ profile: 'baseline', ids: { uid: 0, gid: 0 } }] })
    expect(planned.kind === 'inject' && planned.candidates).toHaveLength(1)
    expect(planned.kind === 'inject' && planned.checks.map(({ name }) => name)).toEqual(defaultChecks.filter((name) => targetChecks.includes(name)))
  })

  test.each([
    ['paused', { paused: true }, /POST \/v1\/injection/],
    ['budget', { gathered: { ...gathered, ephemeralCount: 10 } }, /10 ephemeral containers of at most 10 .*delete the pod/],
    ['budget', { gathered: { ...gathered, ephemeralCount: 10 }, attempt: 2 }, /diagnosis.containersPerPod/],
    [
      'headroom',
      { gathered: { ...gathered, headroom: { kind: 'known', freeBytes: 3 * 2 ** 20, usedBytes: 61 * 2 ** 20, limitBytes: 64 * 2 ** 20 } } },
      /3\.0 MiB of its 64\.0 MiB .*at least 16\.0 MiB .*raise/,
    ],
    ['headroom-unknown', { gathered: { ...gathered, headroom: { kind: 'unknown', why: 'it is made up' } } }, /it is made up.*harm\.unknownHeadroom/],
    ['static-pod', { gathered: { ...gathered, refusal: { code: 'static-pod', message: 'made up' } }, paused: true }, /made up/],
  ] as const)('refuses for %s and says what to do', (code, change, message) => {
    expect(refusal(change as Partial<PlanInput>)).toEqual({ code, message: expect.stringMatching(message) })
    expect(refusal(change as Partial<PlanInput>)?.message).not.toMatch(/\.$/)
  })

  test('takes what is just enough', () => {
    expect(refusal({ gathered: { ...gathered, ephemeralCount: 9 } })).toBeUndefined()
    expect(refusal({ gathered: { ...gathered, headroom: { kind: 'known', freeBytes: 2 ** 24, usedBytes: 0, limitBytes: 2 ** 24 } } })).toBeUndefined()
    const unknown: Gathered = { ...gathered, headroom: { kind: 'unknown', why: 'it is made up' } }
    expect(refusal({ gathered: unknown, config: configOf({ harm: { unknownHeadroom: 'inject' } }) })).toBeUndefined()
  })
})

/** The patterns and fields are read from the policy itself; CEL is judged by the real API server in the cluster's tests. */
describe('the admission policy of infra/kubernetes', () => {
  const [policy = ''] = policies.split(/^---$/m)
  const rules = (parse(policy).spec.validations as readonly { readonly expression: string }[]).map(({ expression }) => expression).join('\n')
  const pattern = (about: string): RegExp => {
    const found = new RegExp(`${about}\\.matches\\('([^']+)'\\)`).exec(rules)?.[1]
    if (!found) throw new Error(`The policy has no pattern for ${about}`)
    return new RegExp(found.replaceAll('[[:cntrl:]]', '\\p{Cc}').replaceAll('[^[:cntrl:]]', '\\P{Cc}'), 'u')
  }

  test.each(['auto', 'restricted', 'baseline', 'general', 'netadmin', 'sysadmin'] as const)('has room for profile %s', (profile: Profile) => {
    for (const ids of [
      { uid: 0, gid: 0 },
      { uid: 1000, gid: 1000 },
    ]) {
      for (const sharedProcesses of [true, false]) {
        const spec = specOf({ request: { ...request, profile }, gathered: { ...gathered, ids, sharedProcesses } })
        expect(String(spec.name)).toMatch(pattern('c\\.name'))
        for (const arg of spec.args) expect(arg).toMatch(pattern('a'))
        expect(Object.keys(spec).toSorted()).toEqual(['args', 'image', 'imagePullPolicy', 'name', 'securityContext', 'targetContainerName'])
        const known = [
          'allowPrivilegeEscalation',
          'capabilities',
          'privileged',
          'readOnlyRootFilesystem',
          'runAsGroup',
          'runAsNonRoot',
          'runAsUser',
          'seccompProfile',
        ]
        expect(known).toEqual(expect.arrayContaining(Object.keys(spec.securityContext as object)))
        expect(spec.securityContext).toMatchObject({ readOnlyRootFilesystem: true })
      }
    }
  })
})

describe('tryCandidates', () => {
  const ask = (answers: readonly AddAnswer[]) => {
    const asked: boolean[] = []
    const cluster = {
      addEphemeralContainer: async (_: unknown, __: string, ___: Raw, { dryRun = false }: { dryRun?: boolean }): Promise<AddAnswer> => {
        asked.push(dryRun)
        return answers[asked.length - 1] ?? { kind: 'added' }
      },
    }
    return { asked, cluster }
  }
  const planned = plan({ gathered: { ...gathered, ids: { uid: 0, gid: 0 } } })
  const candidates = planned.kind === 'inject' ? planned.candidates : []
  const security: AddAnswer = { kind: 'refused', code: 'pod-security', message: 'violates PodSecurity' }
  const signal = new AbortController().signal

  test('takes the lesser form where pod security refuses the best one, and only dry runs', async () => {
    const { asked, cluster } = ask([security])
    expect(await tryCandidates(candidates, gathered, cluster, signal)).toMatchObject({ kind: 'admitted', candidate: { profile: 'restricted' } })
    expect(asked).toEqual([true, true])
  })

  test('tells why the best form was refused', async () => {
    const { cluster } = ask([security, { ...security, message: 'the other' }])
    expect(await tryCandidates(candidates, gathered, cluster, signal)).toEqual({
      kind: 'refused',
      refusal: { code: 'pod-security', message: 'violates PodSecurity' },
    })
  })

  test('tries no other form against any other refusal', async () => {
    const { asked, cluster } = ask([{ kind: 'refused', code: 'pod-replaced', message: 'gone' }])
    expect(await tryCandidates(candidates, gathered, cluster, signal)).toMatchObject({ kind: 'refused', refusal: { code: 'pod-replaced' } })
    expect(asked).toHaveLength(1)
  })

  test('is followed by the PATCH itself', async () => {
    const { asked, cluster } = ask([])
    if (!candidates[0]) throw new Error('There is no candidate')
    expect(await addContainer(candidates[0], gathered, cluster, signal)).toBeUndefined()
    expect(asked).toEqual([false])
  })
})
