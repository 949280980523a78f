import type { Config } from '../config.ts'
import type { Parsed } from '../diagnosis/accept/field-error.ts'
import { parseAlertmanager } from '../diagnosis/accept/webhooks/alertmanager.ts'
import type { Delivery as ParsedDelivery } from '../diagnosis/accept/webhooks/delivery.ts'
import { githubEvent } from '../diagnosis/accept/webhooks/github.ts'
import { gitlabEvent } from '../diagnosis/accept/webhooks/gitlab.ts'
import { parseGrafana } from '../diagnosis/accept/webhooks/grafana.ts'
import { jiraEvent } from '../diagnosis/accept/webhooks/jira.ts'
import { parsePagerduty } from '../diagnosis/accept/webhooks/pagerduty.ts'
import { parseStandard } from '../diagnosis/accept/webhooks/standard.ts'
import type { TrackerEvent } from '../diagnosis/accept/webhooks/tracker-event.ts'
import type { Alert } from '../diagnosis/alert.ts'
import { requestName } from './settle-alerts.ts'

type Source = Config['sources'][string]

export interface Message {
  readonly body: unknown
  readonly headers: Headers
  /** The sender's own id of the message. */
  readonly id?: string
}

export interface Delivery {
  readonly alerts: readonly Alert[]
  /** What is remarkable about it. */
  readonly notes: readonly string[]
}

/** What a source delivered, as alerts; a command of a bug tracker, and a request, is one too. `now` is in milliseconds since the epoch. */
export function readDelivery(name: string, source: Source, { body, headers, id }: Message, now: number): Parsed<Delivery> {
  const around = { source: name, now }
  switch (source.kind) {
    case 'alertmanager':
      return parseAlertmanager(body, around)
    case 'grafana':
      return parseGrafana(body, around)
    case 'pagerduty':
      return parsePagerduty(body, around)
    case 'standard':
      return withRequest(parseStandard(body, around), id, around)
    case 'github':
      return asAlert(githubEvent(body, { headers, label: source.label }), around)
    case 'gitlab':
      return asAlert(gitlabEvent(body, { headers, label: source.label }), around)
    case 'jira':
      return asAlert(jiraEvent(body, { headers, label: source.label }), around)
  }
}

interface Around {
  readonly source: string
  readonly now: number
}

function withRequest(parsed: Parsed<ParsedDelivery>, id: string | undefined, around: Around): Parsed<Delivery> {
  if (!parsed.ok || parsed.value.request === undefined) return parsed
  const { request, notes } = parsed.value
  return { ok: true, value: { alerts: [asked(requestName, id ?? '', { request: JSON.stringify(request) }, around)], notes } }
}

function asAlert(parsed: Parsed<TrackerEvent>, around: Around): Parsed<Delivery> {
  if (!parsed.ok) return parsed
  const event = parsed.value
  if (event.kind === 'ignored') return { ok: true, value: { alerts: [], notes: [event.why] } }
  const { id, author, authorKeys, issueKey, isPublic, text } = event
  const visibility = isPublic ? 'public' : 'not public'
  const labels = { author, authors: JSON.stringify(authorKeys), issue: issueKey, visibility, text: boundedText(text) }
  return { ok: true, value: { alerts: [asked('/diagnose', id, labels, around)], notes: [] } }
}

const maxText = 65_536

/** Whole lines, for one that is cut may name another pod. GitLab's comments have up to a million characters, and a row of D1 2 MB. */
function boundedText(text: string): string {
  return text.length <= maxText ? text : text.slice(0, text.lastIndexOf('\n', maxText) + 1)
}

/** What is asked for once has no time of its own: it is known by its id alone. */
function asked(name: string, id: string, labels: Alert['labels'], { source }: Around): Alert {
  return { source, fingerprint: id, status: 'firing', startsAt: '1970-01-01T00:00:00.000Z', name, labels, annotations: {}, links: [] }
}
