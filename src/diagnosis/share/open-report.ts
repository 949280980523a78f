import type { Config } from '../../config.ts'
import type { Clock, Deps } from '../../deps.ts'
import type { IssueDraft, Note, OpenedIssue, Tracker } from '../../ports/tracker/tracker.ts'
import type { AlertRef, Diagnosis, ReportRef, ReportRoute } from '../diagnosis.ts'
import { reportOfText, reportText } from '../report-ref.ts'
import { alertFacts, alertLinks } from './alert-facts.ts'
import { composeNote, type ShareUrls } from './compose-note.ts'
import { alone } from './report-lease.ts'

/**
 * The report of the trouble that a diagnosis is about: the one that is known, else the one that has its marker, else a new one. Its number is put
 * down with the trouble and with the diagnosis. Throws TrackerUnavailable and TrackerRejected.
 */
export async function openReport(
  diagnosis: Diagnosis & { readonly alert: AlertRef; readonly route: ReportRoute },
  deps: Pick<Deps, 'records'> & {
    readonly clock: Pick<Clock, 'now'>
    readonly tracker: Tracker
    readonly urls: ShareUrls
    readonly recurrence: Config['reports']['recurrence']
    readonly signal: AbortSignal
  },
): Promise<ReportRef> {
  const { records, tracker, recurrence, signal } = deps
  const { alert, route, id } = diagnosis
  const opened = await alone(alert.trouble, id, deps, async (inTime): Promise<OpenedIssue> => {
    const text = (await records.getTrouble(alert.trouble))?.report
    const known = text === undefined ? undefined : reportOfText(text)
    // The routes may lead to another tracker by now.
    const knownKey = known?.tracker === route.tracker ? { knownKey: known.key } : {}
    const both = AbortSignal.any([signal, inTime])
    const issue = await tracker.openIssue(draftOf(diagnosis, deps.urls), { recurrence, signal: both, ...knownKey })
    await records.setTroubleReport(alert.trouble, reportText({ tracker: route.tracker, key: issue.key }))
    return issue
  })
  const report = { tracker: route.tracker, key: opened.key }
  await records.update(id, { report })
  return report
}

/** Of a headline as much as a list of reports shows; all of it is in the note. A refusal says in two lines what to do. */
const titleLength = 120
const cut = (text: string): string =>
  text.length > titleLength
    ? `${text
        .slice(0, titleLength - 1)
        .toWellFormed()
        .trimEnd()}…`
    : text

/** What a reader sees first is the finding; then which alert, then links. All of the diagnosis is in the note that follows. */
function draftOf(diagnosis: Diagnosis & { readonly alert: AlertRef; readonly route: ReportRoute }, urls: ShareUrls): IssueDraft {
  const { alert, route, target, pod, cluster } = diagnosis
  const { headline, at } = composeNote(diagnosis, { urls })
  const subject =
    target.kind === 'selector' ? target.namespace : `${target.namespace}/${target.kind === 'pod' ? (pod?.name ?? target.name) : target.name}`
  const note: Note = {
    marker: alert.trouble,
    at,
    headline,
    findings: [],
    facts: [['Cluster', cluster], ...alertFacts(alert)],
    links: [...alertLinks(alert), { label: 'First diagnosis', url: urls.page }],
  }
  const { project, labels, type } = route
  return { project, labels, ...(type === undefined ? {} : { type }), title: `${alert.name} ${subject}: ${cut(headline)}`, note }
}
