import type { Child, PropsWithChildren } from 'hono/jsx'
import type { AlertRef, ContainerRecord, Diagnosis } from '../diagnosis/diagnosis.ts'
import { reportText } from '../diagnosis/report-ref.ts'
import { skippedText } from '../diagnosis/skipped-words.ts'
import { urlsOfTrouble } from '../routes.ts'
import { AlertLinks, durationText, linkable, sizeText, Time } from './words.tsx'

/** Where everything comes from: who asked, which pod, what ran, what was left out. */
export function Facts({ diagnosis, base }: { diagnosis: Diagnosis; base: string }) {
  const { pod, checks, redactions, createdAt, finishedAt } = diagnosis
  const hidden = Object.entries(redactions)
  return (
    <dl class="facts">
      <Fact name="Asked by">{diagnosis.requester}</Fact>
      <Fact name="Reason">{diagnosis.reason}</Fact>
      <Fact name="Alert">{diagnosis.alert && <AlertFact alert={diagnosis.alert} base={base} />}</Fact>
      <Fact name="Asked at">
        <Time at={createdAt} />
      </Fact>
      <Fact name="Took">{finishedAt === undefined ? undefined : durationText(Date.parse(finishedAt) - Date.parse(createdAt))}</Fact>
      <Fact name="Cluster">{diagnosis.cluster}</Fact>
      <Fact name="Pod">{pod && `${diagnosis.target.namespace}/${pod.name}`}</Fact>
      <Fact name="Pod UID">{pod && <code>{pod.uid}</code>}</Fact>
      <Fact name="Node">{pod?.node}</Fact>
      <Fact name="Container">{pod?.container ?? diagnosis.container}</Fact>
      <Fact name="Adopted">
        {diagnosis.adopted && `container ${diagnosis.adopted.container}, which somebody added by hand: nothing else was added to the pod`}
      </Fact>
      <Fact name="Profile asked for">{diagnosis.profile}</Fact>
      <Fact name="Toolset">{diagnosis.toolset}</Fact>
      <Fact name="Checks asked for">
        {checks.length === 0
          ? diagnosis.adopted
            ? 'the default ones'
            : 'the default ones, and what the evidence hints at'
          : checks.map(({ name, param }) => (param === undefined ? name : `${name}=${param}`)).join(', ')}
      </Fact>
      {diagnosis.containers.map((container) => (
        <Container container={container} />
      ))}
      <Fact name="Not looked at">{skippedText(diagnosis.containers)}</Fact>
      <Fact name="Secrets removed">{hidden.length === 0 ? undefined : hidden.map(([rule, count]) => `${rule}: ${count}`).join(', ')}</Fact>
      <Fact name="Bug report">
        <Report diagnosis={diagnosis} />
      </Fact>
    </dl>
  )
}

function AlertFact({ alert, base }: { alert: AlertRef; base: string }) {
  return (
    <>
      {alert.name}, since <Time at={alert.startsAt} />
      <p class="small">
        <a href={urlsOfTrouble(base, alert.trouble).page}>All alerts of this trouble</a>
        <AlertLinks links={alert.links} />
      </p>
      <p class="small soft">
        {Object.entries(alert.labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(', ')}
      </p>
    </>
  )
}

function Container({ container }: { container: ContainerRecord }) {
  const { name, profile, image, imageId, ids, exitCode, startedAt, finishedAt, lines, bytes, proven, gaps = [] } = container
  // The kubelet's times are of whole seconds.
  const ms = startedAt === undefined || finishedAt === undefined ? undefined : Date.parse(finishedAt) - Date.parse(startedAt)
  const ran = ms === undefined ? undefined : ms < 1000 ? 'less than a second' : durationText(ms)
  const parts = [
    profile && `profile ${profile}`,
    ids && `user ${ids.uid}:${ids.gid}`,
    ran && `ran ${ran}`,
    exitCode === undefined ? undefined : `exit code ${exitCode}`,
    lines === undefined || bytes === undefined ? undefined : `${lines} lines, ${sizeText(bytes)}`,
    proven === undefined ? undefined : proven ? 'all of it was read' : 'not proved to be all',
  ]
  return (
    <Fact name="Diagnostic container">
      <code>{name}</code>
      <p class="small">{parts.filter((part) => part !== undefined && part !== '').join(' · ')}</p>
      <p class="small soft">
        <code>{imageId ?? image}</code>
      </p>
      {gaps.map((gap) => (
        <p class="small notice">{gap}</p>
      ))}
    </Fact>
  )
}

function Report({ diagnosis }: { diagnosis: Diagnosis }) {
  const { report, reported, route } = diagnosis
  if (!report && route) {
    const state = reported && reported.kind !== 'written' ? `${reported.kind}: ${reported.message}` : 'it is found or opened at the end'
    return <>{`${route.tracker}, ${route.project}; ${state}`}</>
  }
  if (!report) return <span class="soft">none was named</span>
  const name = reportText(report)
  if (!reported) return <>{name}, not written to yet</>
  if (reported.kind !== 'written') return <>{`${name}, ${reported.kind}: ${reported.message}`}</>
  const url = linkable(reported.url)
  return url === undefined ? name : <a href={url}>{name}</a>
}

/** Left out where there is nothing to tell. */
function Fact({ name, children }: PropsWithChildren<{ name: string }>) {
  if (isNothing(children)) return null
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  )
}

function isNothing(children: Child): boolean {
  return children === undefined || children === null || (Array.isArray(children) && children.every(isNothing))
}
