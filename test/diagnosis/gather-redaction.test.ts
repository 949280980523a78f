import { describe, expect, test } from 'vitest'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { type Captured, captured, changed, gatherOf } from './gather-world.ts'

const secret = 'SuperSecretPassword'
const url = `postgres://cart:${secret}@db.example:5432/shop`
const web = captured('healthy-web')
const [running] = web.pod.status.containerStatuses ?? []

/** Where the API quotes text of others. */
const quoted: Readonly<Record<string, (text: string) => Captured>> = {
  'an event': (message) => withEvents([{ type: 'Warning', reason: 'FailedMount', message, lastTimestamp: web.now, involvedObject: {} }]),
  'the output of a probe': (output) =>
    withEvents([
      {
        type: 'Warning',
        reason: 'Unhealthy',
        message: `Liveness probe failed: ${output}`,
        count: 3,
        lastTimestamp: web.now,
        involvedObject: { fieldPath: `spec.containers{${running?.name}}` },
      },
    ]),
  'the last words of a container': (message) => {
    const terminated = { exitCode: 1, reason: 'Error', message, startedAt: web.now, finishedAt: web.now }
    const status = { ...running, ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated } }
    return { ...changed(web, { status: { containerStatuses: [status] } }), log: '', previousLog: '' }
  },
  'why a container waits': (message) =>
    changed(web, { status: { containerStatuses: [{ ...running, ready: false, state: { waiting: { reason: 'CreateContainerError', message } } }] } }),
  'why a pod is on no node': (message) =>
    changed(web, { status: { conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }] } }),
  'why a pod was evicted': (message) => changed(web, { status: { reason: 'Evicted', message } }),
  'an annotation': (value) => changed(web, { metadata: { annotations: { 'autodiagnose.dev/unknown': value } } }),
}

function withEvents(items: readonly Raw[]): Captured {
  return { ...web, events: { items } }
}

describe('a secret never survives in a finding', () => {
  test.each(Object.entries(quoted))('in %s, wherever it is cut', async (_, world) => {
    // Title and evidence are cut at 400 and 2000 characters: the secret stands across each cut, somewhere.
    for (const limit of [100, 400, 2000]) {
      for (let at = Math.max(0, limit - 150); at <= limit; at += 4) {
        const { gathered, files } = await gatherOf(world(`${'.'.repeat(at)} ${url} is refused`))
        expect(gathered.findings.length).toBeGreaterThan(0)
        const told = JSON.stringify([gathered, files])
        for (let length = 5; length <= secret.length; length++) expect(told).not.toContain(secret.slice(0, length))
      }
    }
  })

  test.each(Object.entries(quoted))('in %s of several lines', async (name, world) => {
    const { gathered, files } = await gatherOf(
      world('cannot start with\npassword: correct horse battery\n- name: API_TOKEN\n  value: made up words\n'),
    )
    // An annotation is redacted where it stands in the pod, and as one line in the finding: a phrase goes up to where it may end.
    if (name !== 'an annotation') expect(JSON.stringify([gathered, files])).not.toMatch(/correct|horse|made up/)
    expect(gathered.findings[0]?.title).toContain('***HIDDEN***')
  })
})

test('what an event says is redacted once, and counted once', async () => {
  const { redactions, file } = await gatherOf(withEvents([{ type: 'Normal', reason: 'Pulled', message: `for ${url}`, involvedObject: {} }]))
  expect(redactions).toEqual({ 'url-password': 1 })
  expect(file('cluster-resources/events/')).toContain('postgres://cart:***HIDDEN***@db.example')
})

test('a title is one line without a period, and has its length only after it was redacted', async () => {
  const { gathered } = await gatherOf((quoted['an event'] as (text: string) => Captured)(`one.\n${'x'.repeat(5000)}`))
  const [finding] = gathered.findings
  expect([finding?.title.length, finding?.title.slice(0, 19), finding?.evidence?.length]).toEqual([401, 'FailedMount: one. x', 2000])
})

describe('a copy of the manifest in an annotation', () => {
  const value = 'plain-words-of-one'
  const pod = {
    spec: {
      containers: [
        {
          name: 'shop',
          image: 'shop:1',
          env: [
            { name: 'GREETING', value },
            { name: 'NODE', valueFrom: { fieldRef: {} } },
          ],
        },
      ],
    },
  }
  const yaml = `spec:\n  containers:\n    - name: shop\n      env:\n        - name: GREETING\n          value: ${value}\n`
  const fileWith = async (name: string, text: string) => {
    const { file, redactions } = await gatherOf(changed(web, { metadata: { annotations: { [name]: text } } }))
    return { text: file('cluster-resources/pods/') ?? '', redactions }
  }

  test.each([
    ['kubectl.kubernetes.io/last-applied-configuration', JSON.stringify(pod)],
    ['kapp.k14s.io/original', JSON.stringify(pod)],
    ['banzaicloud.com/last-applied', btoa(`PK ${value}`)],
    ['example.com/template', JSON.stringify({ template: pod })],
    ['example.com/template', JSON.stringify([pod], null, 2)],
    ['example.com/template', JSON.stringify({ metadata: { annotations: { 'example.com/inner': JSON.stringify(pod) } } })],
    ['example.com/template', yaml],
    ['example.com/template', yaml.replaceAll('\n', '\r\n')],
    ['example.com/env', `env: [{ name: GREETING, value: ${value} }]`],
  ])('%s: %s has no value of a variable', async (name, copy) => {
    const { text } = await fileWith(name, copy)
    expect(text).toContain('***HIDDEN***')
    expect(text).not.toContain(value)
    expect(text).not.toContain(btoa(`PK ${value}`))
  })

  test('keeps what is no value of a variable, and is counted', async () => {
    const { text, redactions } = await fileWith('example.com/template', JSON.stringify(pod))
    const [container] = JSON.parse(JSON.parse(text).items[0].metadata.annotations['example.com/template']).spec.containers
    expect(container).toEqual({
      name: 'shop',
      image: 'shop:1',
      env: [
        { name: 'GREETING', value: '***HIDDEN***' },
        { name: 'NODE', valueFrom: { fieldRef: {} } },
      ],
    })
    const own = (await fileWith('example.com/none', 'x')).redactions['env-literal'] ?? 0
    expect(redactions['env-literal']).toBe(own + 1)
  })

  test.each([
    ['sidecar.example/status', '{"version":"1","envoy": [1,  2]}'],
    ['example.com/note', 'the env: production'],
    ['example.com/broken', '{"env": ['],
  ])('%s: %s stays as it is', async (name, annotation) => {
    const { text } = await fileWith(name, annotation)
    expect(JSON.parse(text).items[0].metadata.annotations[name]).toBe(annotation)
  })
})

test('nothing of a container’s command is in what a durable step keeps', async () => {
  const [container] = web.pod.spec.containers
  const { gathered } = await gatherOf(changed(web, { spec: { containers: [{ ...container, command: ['web', '--password', secret] }] } }))
  expect(gathered.idsCacheKey).toMatch(/ [0-9a-f]{64}$/)
  expect(JSON.stringify(gathered)).not.toContain(secret)
})
