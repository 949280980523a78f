import { bytesOf } from './config-facts.ts'
import { type Cursor, heard } from './diagnosis/cursor.ts'
import { type CheckRequest, containerName, lookInside, type Refusal } from './diagnosis/diagnosis.ts'
import { refresh } from './diagnosis/gather/refresh.ts'
import { addContainer, tryCandidates } from './diagnosis/inject/add-container.ts'
import { foundIds, keepIds } from './diagnosis/inject/found-ids.ts'
import { isPaused } from './diagnosis/inject/harm-switch.ts'
import { takePlace } from './diagnosis/inject/node-places.ts'
import { type Candidate, planContainer } from './diagnosis/inject/plan-container.ts'
import { busy, leavePod, takeOver, takePod } from './diagnosis/inject/pod-lease.ts'
import { policyRefusal } from './diagnosis/inject/policy-probe.ts'
import { type Started, waitForEnd, waitForStart } from './diagnosis/inject/wait-for-container.ts'
import { listenTurn } from './diagnosis/listen/turn.ts'
import { readFindings } from './diagnosis/seal/conclude.ts'
import { logPath } from './diagnosis/segment.ts'
import type { Examination, Examined } from './examine.ts'
import { patiently } from './patience.ts'
import { type GatherOutcome, minute, podOf, type StageContext } from './stage-context.ts'

export interface Planned {
  readonly kind: 'planned'
  readonly name: string
  readonly candidate: Candidate
  readonly checks: readonly string[]
  /** The same checks with their parameters. */
  readonly asked: readonly CheckRequest[]
  /** When, in milliseconds since the epoch. */
  readonly at: number
}
export type PlanOutcome =
  | Planned
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'cancelled' }
/** `at`: when the container was asked for, in milliseconds since the epoch; all deadlines count from it. */
export type InjectOutcome =
  | { readonly kind: 'injected'; readonly at: number }
  /** Nothing was sent: the plan is of a time before the service was away. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'failed'; readonly message: string }

/** A turn ends well inside what a serverless step may last. */
const turnMs = minute
/** Beyond its own deadline, a container gets this long until it is given up. */
const graceMs = 30_000
/** What is older than this is read, or planned, again before anything is added. */
const freshMs = 10_000

export type ContainerStages = ReturnType<typeof containerStages>

/** The effects of one container's part of the story: see examine.ts. */
export function containerStages({ request, deps, id, part, progress, cluster, failed, refused, cancelled, late }: StageContext) {
  const { config, store, clock, redactor } = deps
  const { namespace } = request.target
  return {
    plan: ({ attempt, gathered: outcome, foundIds: known }: Examination) =>
      patiently(
        'plan the container',
        async (signal): Promise<PlanOutcome> => {
          if (outcome.kind === 'failed') return outcome
          if (await cancelled()) return { kind: 'cancelled' }
          const fresh = attempt === 1 && clock.now() - outcome.gathered.at < freshMs
          const gathered = fresh ? outcome.gathered : await refresh(outcome.gathered, attempt - 1, { cluster: cluster(), clock }, signal)
          const { uid = '' } = gathered
          const ids = known ?? (await foundIds(gathered, deps))
          const name = containerName(id, attempt)
          const paused = await isPaused(deps)
          const plan = planContainer({
            request,
            gathered,
            attempt,
            containerName: name,
            now: clock.now(),
            paused,
            config,
            ...(ids ? { foundIds: ids } : {}),
          })
          if (plan.kind === 'refused') return refused(plan.refusal)
          const lease = { id, until: plan.expires * 1000 }
          let holder = await takePod(request.cluster, uid, lease, deps)
          if (holder !== id && (await takeOver(request.cluster, holder, await cluster().getPod(podOf(outcome).pod, signal), deps)))
            holder = await takePod(request.cluster, uid, lease, deps)
          if (holder !== id) return refused(busy(holder))
          const place = { cluster: request.cluster, node: gathered.node, id: part, until: lease.until }
          const crowded = await takePlace(place, deps, signal)
          if (crowded) {
            await leavePod(request.cluster, uid, id, deps)
            return refused(crowded)
          }
          const admitted = await tryCandidates(plan.candidates, gathered, cluster(), signal)
          if (admitted.kind === 'refused') return refused(admitted.refusal)
          const probe = { cluster: request.cluster, pod: podOf(outcome).pod, uid, spec: admitted.candidate.spec }
          const unbounded = await policyRefusal(probe, cluster(), deps, signal)
          if (unbounded) return refused(unbounded)
          const { checks: asked } = plan
          return { kind: 'planned', name, candidate: admitted.candidate, checks: asked.map((check) => check.name), asked, at: clock.now() }
        },
        failed,
        { ms: 2 * minute, unwanted: cancelled },
        deps,
      ),

    inject: ({ name, candidate, at }: Planned, { gathered: outcome }: Examination) => {
      // Once it was sent, an answer that does not come says nothing: the pod is asked whether it has the container.
      let sent = false
      return patiently(
        'add the container',
        async (signal): Promise<InjectOutcome> => {
          const { pod, uid, gathered } = podOf(outcome)
          if (clock.now() - at > freshMs) {
            const there = (await cluster().getPod(pod, signal))?.spec.ephemeralContainers?.some((container) => container.name === name)
            if (!there) return { kind: 'stale' }
          }
          sent = true
          const refusal = await addContainer(candidate, gathered, cluster(), signal)
          if (refusal) return refused(refusal)
          const { node, container } = gathered
          await progress({
            state: 'injecting',
            pod: { name: pod.name, uid, ...(node ? { node } : {}), ...(container ? { container } : {}) },
          })
          return { kind: 'injected', at: clock.now() }
        },
        (message): InjectOutcome => (sent ? { kind: 'injected', at: clock.now() } : failed(message)),
        { ms: 2 * minute },
        deps,
      )
    },

    start: ({ name }: Planned, outcome: GatherOutcome, at: number) =>
      patiently(
        'watch the container start',
        async (signal): Promise<Started> => {
          const { pod, uid } = podOf(outcome)
          const until = at + config.diagnosis.startDeadlineSeconds * 1000
          const started = await waitForStart(pod, uid, name, until, { cluster: cluster(), clock, cancelled }, signal)
          if (started.kind === 'started') await progress({ state: 'listening' })
          return started
        },
        (message): Started => ({ kind: 'not-started', message: failed(message).message }),
        { ms: 2 * minute, rethrow: () => !late() },
        deps,
      ),

    listen: ({ name }: Planned, outcome: GatherOutcome, at: number, cursor: Cursor) =>
      patiently(
        'listen to the container',
        (signal): Promise<Cursor> => {
          const { pod, uid } = podOf(outcome)
          const { startDeadlineSeconds, outputBytes } = config.diagnosis
          const deadlineSeconds = request.adopted?.listenSeconds ?? config.diagnosis.deadlineSeconds
          const params = {
            id: part,
            pod,
            uid,
            container: name,
            cursor,
            turnEndsAt: clock.now() + turnMs,
            giveUpAt: at + (startDeadlineSeconds + deadlineSeconds) * 1000 + graceMs,
            name: logPath(namespace, pod.name, name),
            // The container caps itself; this holds where it does not.
            maxBytes: bytesOf(outputBytes) + 65_536,
            binaryArtifacts: config.evidence.binaryArtifacts,
            endLine: true,
          }
          return listenTurn(params, { cluster: cluster(), store, redactor, clock, cancelled }, signal)
        },
        (message): Cursor => ({ ...cursor, gaps: [...cursor.gaps, failed(message).message], end: 'gone' }),
        { ms: 10 * minute, rethrow: () => !late() },
        deps,
      ),

    end: ({ name, candidate, checks, asked }: Planned, { attempt, gathered: outcome }: Examination, started: Started, cursor: Cursor) => {
      // Known whatever the cluster says now. Without an exit code a container may run, and has the pod until its own deadline.
      const container = {
        name,
        profile: candidate.profile,
        image: candidate.image,
        ...heard(cursor),
        ...(candidate.ids ? { ids: candidate.ids } : {}),
      }
      const end = started.kind === 'cancelled' ? 'cancelled' : cursor.end
      const known = { checks, asked, redactions: cursor.redactions, ...(end ? { end } : {}) }
      return patiently(
        'read what the container found',
        async (signal): Promise<Examined> => {
          const { pod, uid, gathered } = podOf(outcome)
          const waitMs = started.kind === 'started' && cursor.end !== 'cancelled' && cursor.end !== 'gone' ? 5000 : 0
          const status = await waitForEnd(pod, uid, name, clock.now() + waitMs, { cluster: cluster(), clock }, signal)
          const { target: seen, findings, skipped, cut, dropped } = await readFindings(store, part, name, signal)
          const gaps = [...cursor.gaps, ...(cut ? [`the container says that it was ${cut}`] : []), ...(dropped ? [dropped] : [])]
          const terminated = status?.state?.terminated
          const startedAt = terminated?.startedAt ?? status?.state?.running?.startedAt
          // What somebody typed may print anything.
          if (seen && !request.adopted) await keepIds(seen.ids, gathered, deps)
          const sameIds = candidate.ids?.uid === seen?.ids.uid && candidate.ids?.gid === seen?.ids.gid
          return {
            ...known,
            container: {
              ...container,
              gaps,
              ...(skipped.length > 0 ? { skipped } : {}),
              ...(status?.imageID ? { imageId: status.imageID } : {}),
              ...(startedAt === undefined ? {} : { startedAt }),
              ...(terminated ? { exitCode: terminated.exitCode, ...(terminated.finishedAt ? { finishedAt: terminated.finishedAt } : {}) } : {}),
            },
            findings,
            retryWithIds: attempt === 1 && request.profile === 'auto' && gathered.targetRunning && !sameIds && lookInside(checks),
            ...(started.kind === 'started' || started.kind === 'cancelled' ? {} : { failure: failed(started.message).message }),
            ...(seen ? { seen } : {}),
          }
        },
        (message): Examined => ({ ...known, container, findings: [], retryWithIds: false, failure: failed(message).message }),
        { ms: minute, rethrow: () => !late() },
        deps,
      )
    },
  }
}
