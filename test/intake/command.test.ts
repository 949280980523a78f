import { Webhook } from 'standardwebhooks'
import { describe, expect, test } from 'vitest'
import type { ConfigInput } from '../../src/config.ts'
import type { Deps } from '../../src/deps.ts'
import { RecordsUnavailable } from '../../src/ports/records/records.ts'
import type { Tracker } from '../../src/ports/tracker/tracker.ts'
import { secrets } from '../app/setup.ts'
import { hmac } from '../app/webhook-world.ts'
import { apple } from './alerts.ts'
import { intakeWorld } from './intake-world.ts'

/** The tracker of files, whose issues are called as GitHub's are. */
const calledAsOnGithub = ({ trackers }: Deps): Partial<Deps> => {
  const real = trackers.get('bugs') as Tracker
  const bugs: Tracker = {
    ...real,
    complainAboutKey: (key) => (/^[\w-]+\/[\w-]+#\d+$/.test(key) ? undefined : `"${key}" is no issue`),
    writeNote: (key, ...rest) => real.writeNote(key.replaceAll(/[/#]/g, '-'), ...rest),
  }
  return { trackers: new Map([...trackers, ['bugs', bugs]]) }
}

async function githubWorld(change: Partial<ConfigInput> = {}, wrap: (deps: Deps) => Partial<Deps> = () => ({})) {
  const world = await intakeWorld(
    {
      sources: {
        github: { kind: 'github', secrets: [{ env: 'SIGNING_KEY' }], tracker: 'bugs', users: { octo: 'alice', 'id:9': 'alice', ghost: 'nobody' } },
        signed: { kind: 'standard', secrets: [{ env: 'WHSEC' }] },
      },
      ...change,
    },
    { wrap: (deps) => ({ ...calledAsOnGithub(deps), ...wrap(deps) }) },
  )
  const send = async (event: string, body: object): Promise<Response> => {
    const text = JSON.stringify(body)
    const signature = `sha256=${await hmac(secrets.SIGNING_KEY ?? '', text)}`
    return world.post('github', text, { 'x-github-event': event, 'x-hub-signature-256': signature, 'x-github-delivery': crypto.randomUUID() })
  }
  const follow = async () => {
    await world.settle()
    await world.diagnose()
  }
  const about = ({ login = 'octo', isPrivate = false, body = '' }: Asked) => ({
    repository: { full_name: 'fruit/apples', private: isPrivate, visibility: isPrivate ? 'private' : 'public' },
    sender: { id: login === 'octo' ? 1 : 2, login, type: 'User' },
    issue: { id: 70, number: 7, body, updated_at: '2026-11-27T12:00:00Z' },
  })
  return {
    ...world,
    send,
    follow,
    async comment(text: string, asked: Asked & { readonly id?: number } = {}): Promise<Response> {
      return send('issue_comment', { action: 'created', ...about(asked), comment: { id: asked.id ?? 1, body: text } })
    },
    async label(body: string, asked: Asked = {}): Promise<Response> {
      return send('issues', { action: 'labeled', ...about({ ...asked, body }), label: { name: 'diagnose' } })
    },
    /** What was written on the one issue. */
    async notes() {
      return (await world.issues()).flatMap(({ key, notes }) => notes.map((note) => ({ key, ...note })))
    },
  }
}

interface Asked {
  readonly login?: string
  readonly isPrivate?: boolean
  readonly body?: string
}

const command = `/diagnose fruit/${apple(1)}`

describe('a comment', () => {
  test('of a mapped author is diagnosed as the principal asked, and answered on its issue', async () => {
    const world = await githubWorld()
    await world.comment(`It fails again.\n\n${command} --reason "since noon"`)
    await world.follow()
    expect(await world.diagnoses()).toMatchObject([
      { requester: 'alice', target: { name: apple(1) }, report: { tracker: 'bugs', key: 'fruit/apples#7' }, reason: 'since noon', state: 'done' },
    ])
    const [diagnosis] = await world.diagnoses()
    expect(diagnosis?.alert).toBeUndefined()
    expect(await world.notes()).toMatchObject([{ key: 'fruit-apples-7', marker: diagnosis?.id }])
    expect(await world.alerts()).toMatchObject([
      { name: '/diagnose', source: 'github', outcome: 'diagnosed', diagnosis: diagnosis?.id, namespace: 'fruit', pod: apple(1) },
    ])
  })

  test.each([
    ['by name, in another case', 'OCTO'],
    ['by the number of the account', 'renamed'],
  ])('of an author who is mapped %s', async (_, login) => {
    const world = await githubWorld({
      sources: { github: { kind: 'github', secrets: [{ env: 'SIGNING_KEY' }], tracker: 'bugs', users: { octo: 'alice', 'id:2': 'alice' } } },
    })
    await world.comment(command, { login })
    await world.follow()
    expect(await world.diagnoses()).toMatchObject([{ requester: 'alice' }])
  })

  test('that is delivered twice, and by ten at once, is one diagnosis', async () => {
    const world = await githubWorld()
    world.settleWhenWoken()
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.comment(command)))
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(202))
    await world.done()
    await world.comment(command)
    await world.follow()
    expect(await world.diagnoses()).toHaveLength(1)
    expect(await world.notes()).toHaveLength(1)
  })

  test('that says the same again is another one: who asks twice wants it', async () => {
    const world = await githubWorld()
    await world.comment(command, { id: 1 })
    await world.comment(command, { id: 2 })
    await world.follow()
    expect(await world.diagnoses()).toHaveLength(2)
  })

  test('of nobody who is mapped gets nothing where anyone may read it, not even an answer', async () => {
    const world = await githubWorld()
    await world.comment(command, { login: 'mallory' })
    await world.follow()
    await world.pass(3600)
    expect([await world.diagnoses(), await world.notes()]).toEqual([[], []])
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied', message: expect.stringContaining('"mallory" is nobody') }])
    expect(await world.deps.records.dueTellings('2999', 10)).toEqual([])
  })

  test('of nobody who is mapped gets one answer in private', async () => {
    const world = await githubWorld()
    await world.comment(command, { login: 'mallory', isPrivate: true })
    await world.comment(command, { login: 'mallory', isPrivate: true })
    await world.follow()
    await world.pass(3600)
    expect(await world.diagnoses()).toEqual([])
    expect(await world.notes()).toMatchObject([{ headline: 'Not diagnosed: mallory may not ask for a diagnosis here', outcome: 'refused' }])
  })

  test.each([
    ['unknown words', `${command} --quickly`, 'Unknown option --quickly'],
    ['no target', '/diagnose', 'Name one target'],
    ['a pod that cannot be', '/diagnose fruit/Apples_1', 'pod "fruit/Apples_1"'],
    ['an unknown profile', `${command} --profile root`, 'profile "root"'],
    ['a cluster that is not there', `${command} --cluster elsewhere`, 'cluster'],
  ])('with %s is answered with what is wrong, and how it is written', async (_, text, said) => {
    const world = await githubWorld()
    await world.comment(text)
    await world.follow()
    const [note, ...others] = await world.notes()
    expect([others, await world.diagnoses()]).toEqual([[], []])
    expect(note?.headline).toMatch(/^Not diagnosed: /)
    expect(note?.headline).toContain(said)
    expect(note?.facts.find(([label]) => label === 'Usage')?.[1]).toContain('/diagnose NAMESPACE/POD')
    expect(await world.alerts()).toMatchObject([{ state: 'settled', outcome: 'no-target' }])
  })

  test.each([
    ['a namespace', '/diagnose bank/teller-0', 'Namespace "bank" is not among those that "alice" may diagnose'],
    ['kube-system', '/diagnose kube-system/coredns-0', 'Nobody may diagnose in namespace "kube-system"'],
  ])('about %s that policy denies is answered so', async (_, text, said) => {
    const world = await githubWorld()
    await world.comment(text)
    await world.follow()
    expect(await world.diagnoses()).toEqual([])
    expect((await world.notes()).map(({ headline }) => headline)).toEqual([expect.stringContaining(said)])
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied' }])
  })

  test('of a user who is mapped to a principal that may do nothing is denied', async () => {
    const world = await githubWorld()
    await world.comment(command, { login: 'ghost' })
    await world.follow()
    expect(await world.diagnoses()).toEqual([])
    expect(await world.alerts()).toMatchObject([{ outcome: 'denied', message: 'No rule of the policy allows "nobody" anything' }])
  })

  test('without a command is not even kept', async () => {
    const world = await githubWorld()
    expect(await (await world.comment('Looks fine to me')).json()).toMatchObject({ received: 0, notes: ['the comment holds no command'] })
    expect(await world.alerts()).toEqual([])
  })

  test('of our own note starts nothing', async () => {
    const world = await githubWorld()
    await world.comment(`<!-- autodiagnose ad-1 -->\n${command}`)
    await world.follow()
    expect(await world.diagnoses()).toEqual([])
  })

  test('whose diagnosis is cancelled, or refused, is answered so', async () => {
    const world = await githubWorld()
    await world.comment(command, { id: 1 })
    await world.settle()
    const [cancelled] = await world.diagnoses()
    await world.deps.records.requestCancel(cancelled?.id ?? '')
    await world.comment('/diagnose fruit/nobody', { id: 2 })
    await world.follow()
    expect(await world.diagnoses()).toMatchObject([
      { outcome: 'cancelled', reported: { kind: 'written' } },
      { outcome: 'refused', reported: { kind: 'written' } },
    ])
    expect((await world.notes()).map(({ outcome, headline }) => [outcome, headline]).toSorted()).toEqual([
      ['cancelled', 'Cancelled before a container was added'],
      ['refused', expect.stringContaining('"nobody"')],
    ])
  })

  test('is answered although the process dies before it is settled', async () => {
    let dies = true
    const world = await githubWorld({}, ({ records }) => ({
      records: {
        ...records,
        settleAlert: (...args) => (dies ? Promise.reject(new RecordsUnavailable('The process is gone')) : records.settleAlert(...args)),
      },
    }))
    await world.comment('/diagnose')
    await world.settle()
    dies = false
    await world.settle()
    await world.settle()
    expect(await world.notes()).toHaveLength(1)
    expect(await world.alerts()).toMatchObject([{ state: 'settled', outcome: 'no-target' }])
  })
})

describe('a label', () => {
  test('has the line of the description run', async () => {
    const world = await githubWorld()
    await world.label(`The shop is slow.\n\n${command}\n`)
    await world.label(`The shop is slow.\n\n${command}\n`)
    await world.follow()
    expect(await world.diagnoses()).toMatchObject([{ requester: 'alice', report: { key: 'fruit/apples#7' } }])
  })

  test('on a description without one is answered with what it should be', async () => {
    const world = await githubWorld()
    await world.label('The shop is slow.')
    await world.follow()
    expect((await world.notes()).map(({ headline }) => headline)).toEqual([
      'Not diagnosed: there is no line /diagnose NAMESPACE/POD in the description of the issue',
    ])
  })
})

describe('a signed request', () => {
  const sent = async (world: Awaited<ReturnType<typeof githubWorld>>, data: object, id = 'msg_1') => {
    const body = JSON.stringify({ type: 'diagnosis.requested', timestamp: new Date().toISOString(), data })
    const at = new Date(world.clock.now())
    await world.post('signed', body, {
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secrets.WHSEC ?? '').sign(id, at, body),
    })
    await world.follow()
  }
  const policy = [{ principals: ['signed'], namespaces: ['fruit'] }]

  test('is diagnosed as its source may, once', async () => {
    const world = await githubWorld({ policy })
    await sent(world, { pod: `fruit/${apple(1)}`, reason: 'from the pipeline' })
    await sent(world, { pod: `fruit/${apple(1)}`, reason: 'from the pipeline' })
    expect(await world.diagnoses()).toMatchObject([{ requester: 'signed', reason: 'from the pipeline' }])
  })

  test.each([
    ['fields that are unknown', { pod: `fruit/${apple(1)}`, profil: 'auto' }, 'no-target', 'profil'],
    ['a namespace that policy denies', { pod: 'bank/teller-0' }, 'denied', 'bank'],
  ])('with %s says so in the list', async (_, data, outcome, said) => {
    const world = await githubWorld({ policy })
    await sent(world, data)
    expect(await world.alerts()).toMatchObject([{ outcome, message: expect.stringContaining(said) }])
    expect(await world.diagnoses()).toEqual([])
  })
})
