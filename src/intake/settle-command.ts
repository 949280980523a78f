import type { Config } from '../config.ts'
import type { Deps } from '../deps.ts'
import { commandRemarks, commandUsage, parseCommand } from '../diagnosis/accept/command.ts'
import type { FieldError } from '../diagnosis/accept/field-error.ts'
import { parseRequest } from '../diagnosis/accept/request.ts'
import { principalOf } from '../diagnosis/accept/webhooks/tracker-event.ts'
import { admit, clustersOf } from '../diagnosis/admit/policy.ts'
import type { ReportRef } from '../diagnosis/diagnosis.ts'
import { reportText } from '../diagnosis/report-ref.ts'
import type { AlertRecord, Settlement } from '../ports/records/intake.ts'
import type { Note } from '../ports/tracker/tracker.ts'
import { startDiagnosis } from '../start-diagnosis.ts'

type Source = Config['sources'][string]

/** What was asked for: by whom, in which words, and where the answer lands. */
interface Asked {
  /** Undefined where the author is nobody that the configuration knows. */
  readonly principal: string | undefined
  readonly author: string
  /** What the author should know, although it does not stand in the way. */
  readonly remarks: readonly string[]
  /** The body of a request, or what is wrong with the words. */
  readonly body: Readonly<Record<string, unknown>> | readonly string[]
  readonly report?: ReportRef
  readonly isPublic: boolean
}

/** Settles a command of a bug tracker, or a request of a signed webhook. What is wrong with it is told where it was asked. */
export async function settleCommand(alert: AlertRecord, source: Source, deps: Deps): Promise<void> {
  const { config, records, redactor, trackers } = deps
  const asked = readAsked(alert, source)
  const refuse = async (settlement: Settlement, answer: string | undefined): Promise<void> => {
    // First what is to be told, for nobody looks at a settled command again.
    if (answer !== undefined && asked.report) {
      const report = reportText(asked.report)
      const note = replyNote(alert, answer)
      await records.tell({ id: note.marker, kind: 'reply', report, note, dueAt: alert.receivedAt })
    }
    await records.settleAlert(alert.id, settlement)
    deps.wake()
  }

  const { principal, author, body, remarks } = asked
  if (principal === undefined) {
    const message = `"${author}" is nobody whom users of source "${alert.source}" maps to a principal`
    // In public anyone may write; an answer would tell them that something listens.
    return refuse({ outcome: 'denied', message }, asked.isPublic ? undefined : `${author} may not ask for a diagnosis here`)
  }
  if (Array.isArray(body)) return refuse({ outcome: 'no-target', message: body.join('; ') }, body.join('; '))
  const clusters = Object.keys(config.clusters)
  const parsed = parseRequest(
    { ...body, ...(asked.report ? { report: reportText(asked.report) } : {}) },
    {
      clusters: clusters.length === 1 ? clusters : clustersOf(config.policy, principal, clusters),
      extraChecks: config.diagnosis.extraChecks,
      toolsets: config.diagnosis.toolsets,
      trackers,
      redactor,
    },
  )
  if (!parsed.ok) {
    const message = parsed.errors.map(said).join('; ')
    return refuse({ outcome: 'no-target', message }, message)
  }
  const { cluster, target } = parsed.value
  const place = { cluster, namespace: target.namespace, ...(target.kind === 'pod' ? { pod: target.name } : {}) }
  const verdict = admit(config.policy, principal, parsed.value)
  if (verdict.kind === 'denied') return refuse({ ...place, outcome: 'denied', message: verdict.message }, verdict.message)
  // The id follows from the alert's: however often this is done, it is one diagnosis.
  const id = alert.id.replace(/^al-/, 'ad-')
  const reason = [parsed.value.reason, ...remarks].filter((part) => part !== undefined).join('; ')
  const request = { id, createdAt: alert.receivedAt, requester: principal, ...parsed.value, ...(reason === '' ? {} : { reason }) }
  await startDiagnosis(request, deps)
  await records.settleAlert(alert.id, {
    ...place,
    outcome: 'diagnosed',
    diagnosis: id,
    ...(remarks.length > 0 ? { message: remarks.join('; ') } : {}),
  })
}

function readAsked(alert: AlertRecord, source: Source): Asked {
  const { author = '', issue = '', text = '', visibility, request } = alert.labels
  if (!('users' in source)) {
    return { principal: alert.source, author: alert.source, remarks: [], body: bodyOf(request), isPublic: false }
  }
  const command = parseCommand(text)
  const names = JSON.parse(alert.labels.authors ?? '[]') as string[]
  return {
    principal: principalOf(source.users, names),
    author,
    remarks: commandRemarks(text),
    body: command === undefined ? [noCommand] : Array.isArray(command) ? command : { ...command },
    report: { tracker: source.tracker, key: issue },
    isPublic: visibility === 'public',
  }
}

/** What was kept has passed the redactor, which knows no JSON in a text. */
function bodyOf(request = ''): Asked['body'] {
  try {
    const body: unknown = JSON.parse(request)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return { ...body }
  } catch {
    return ['the request cannot be read: it may have held a secret, which is taken out of all that is kept']
  }
  return ['the request is no object']
}

const noCommand = 'there is no line /diagnose NAMESPACE/POD in the description of the issue'

function said({ field, value, message }: FieldError): string {
  return `${field}${value === undefined ? '' : ` "${value}"`}: ${message}`
}

function replyNote(alert: AlertRecord, answer: string): Note {
  return {
    marker: `${alert.id}-reply`,
    at: alert.receivedAt,
    headline: `Not diagnosed: ${answer}`,
    outcome: 'refused',
    findings: [],
    facts: [
      ['Asked by', alert.labels.author ?? alert.source],
      ['Usage', commandUsage],
    ],
    links: [],
  }
}
