import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isLab, needsLab, useNamespace } from './environment.ts'
import { create, fruitPod, getPod, isReady, kubectlAgain, podThat } from './pods.ts'
import { redmineLab, renderedNote } from './redmine-lab.ts'
import { useService } from './service.ts'

describe('an image that cannot be had, and one container a pod', () => {
  needsLab()
  const namespace = useNamespace('start')
  // The kubelet takes up to 16 s to say what the matter is.
  const diagnosis = { image: 'localhost/no-such-image:1', startDeadlineSeconds: 22, containersPerPod: 1 }
  const never = useService({ watched: [namespace], diagnosis })
  const pulling = useService({ watched: [namespace], diagnosis: { ...diagnosis, imagePullPolicy: 'IfNotPresent' } })
  let redmine: ReturnType<typeof redmineLab>
  beforeAll(async () => {
    if (!isLab) return
    redmine = redmineLab()
    for (const name of ['one', 'two']) await create(namespace, fruitPod(name, 'idle'))
    for (const name of ['one', 'two']) await podThat(namespace, name, isReady)
  })
  afterAll(async () => {
    if (isLab) await redmine?.clean()
  })

  test('the start deadline names the reason, and the budget is spent all the same', async () => {
    const issue = await redmine.newIssue()
    const [failed, other] = await Promise.all([
      never.diagnose({ pod: `${namespace}/one`, report: `redmine:${issue}` }),
      pulling.diagnose({ pod: `${namespace}/two` }),
    ])
    expect(failed).toMatchObject({ outcome: 'failed', explanation: expect.stringMatching(/did not start.*ErrImageNeverPull.*no-such-image/) })
    expect(other).toMatchObject({
      outcome: 'failed',
      explanation: expect.stringMatching(/did not start.*(ErrImagePull|ImagePullBackOff).*no-such-image/),
    })
    expect(failed.bundle?.bytes).toBeGreaterThan(500)
    const notes = await redmine.notesOf(issue)
    expect(notes).toHaveLength(1)
    expect(await renderedNote(redmine.url, issue, notes[0]?.id ?? 0)).toMatch(/ErrImageNeverPull/)

    const refused = await never.diagnose({ pod: `${namespace}/one` })
    expect(refused.refusal).toMatchObject({ code: 'budget', message: expect.stringMatching(/has 1 ephemeral containers of at most 1/) })
    expect((await getPod(namespace, 'one')).spec.ephemeralContainers).toHaveLength(1)
  })
})

describe('a pod that is replaced between the evidence and the container', () => {
  needsLab()
  const namespace = useNamespace('replaced')
  const make = async () => {
    await create(namespace, fruitPod('shifty', 'idle'))
    await podThat(namespace, 'shifty', isReady)
  }
  const service = useService({
    watched: [namespace],
    wrapStep: (step) => ({
      ...step,
      async run(name, effect) {
        const saved = await step.run(name, effect)
        // The dry run was admitted: what refuses now is the API server itself.
        if (name === 'plan-1') {
          await kubectlAgain(['-n', namespace, 'delete', 'pod', 'shifty', '--force', '--grace-period=0'])
          await make()
        }
        return saved
      },
    }),
  })
  beforeAll(async () => {
    if (isLab) await make()
  })

  test('is refused, and its successor left alone', async () => {
    const before = await getPod(namespace, 'shifty')
    const diagnosis = await service.diagnose({ pod: `${namespace}/shifty` })
    expect(diagnosis).toMatchObject({ outcome: 'refused', refusal: { code: 'pod-replaced', message: expect.stringContaining(before.metadata.uid) } })
    const after = await getPod(namespace, 'shifty')
    expect(after.metadata.uid).not.toBe(before.metadata.uid)
    expect(after.spec.ephemeralContainers).toBeUndefined()
  })
})
