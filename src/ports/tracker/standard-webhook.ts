import { Webhook } from 'standardwebhooks'
import { boundNote, noteLimits } from './bound-note.ts'
import { digestOf } from './digest.ts'
import { cutLine, plainLine } from './plain-text.ts'
import { type IssueDraft, type Note, type Tracker, TrackerRejected } from './tracker.ts'
import { complaint, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/**
 * Any other tracker: a POST signed as Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md).
 * Types: `diagnosis.finished`, the whole note as `data`; `report.noted`, the same for a note that is of no diagnosis; `report.opened` and
 * `report.closed` for reports that alerts lead to.
 *
 * `webhook-id` names a message: it is the same whenever the same message is sent again, and receivers drop an id that they know. A note
 * whose text has changed is therefore another message: the id is `<marker>-<digest of the payload>`, the same for the same text
 * after any crash, and `data.marker` tells the receiver which note to replace.
 *
 * The key of a report that is opened here is its marker. The receiver is never asked: a report is made by each message of another text, which
 * the receiver takes for one by `data.marker`, a known key is always found, and what the receiver has closed is its own affair.
 *
 * Throws a plain Error when the secret is not `whsec_` and base64 of 24 to 64 bytes.
 */
export function standardWebhook(options: TrackerHttp & { readonly url: string; readonly secret: string }): Tracker {
  const webhook = new Webhook(checkedSecret(options.secret))

  async function send(key: string, id: string, payload: string, signal: AbortSignal): Promise<void> {
    const at = new Date(options.clock.now())
    const headers = {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, at, payload),
    }
    const what = `Cannot send the report "${key}" to the webhook ${new URL(options.url).origin}`
    const { status, text } = await trackerFetch(options, what, options.url, { method: 'POST', headers, body: payload }, signal)
    if (status < 200 || status > 299) throw new TrackerRejected(`${what}: ${advice[status] ?? `it answered ${status}`}${complaint(text)}`)
  }

  return {
    keyOfUrl: () => undefined,
    complainAboutKey: (key) => complain('the key of a webhook report', key),
    complainAboutProject: (project) => complain('the project of a webhook report', project),
    async writeNote(key, note, { knownNoteId, signal }) {
      const payload = boundPayload(note, (bounded) => notePayload(key, bounded))
      const id = `${note.marker}-${await digestOf(payload)}`
      // Known to be delivered, and nothing has changed since.
      if (id !== knownNoteId) await send(key, id, payload, signal)
      return { noteId: id }
    },
    async openIssue(draft, { knownKey, signal }) {
      if (knownKey !== undefined) return { key: knownKey, state: 'found' }
      const { marker } = draft.note
      const payload = boundPayload(draft.note, (bounded) => openPayload(draft, bounded))
      await send(marker, `${marker}-${await digestOf(payload)}`, payload, signal)
      return { key: marker, state: 'made' }
    },
    async closeIssue(key, { signal }) {
      const timestamp = new Date(options.clock.now()).toISOString()
      await send(key, `closed-${await digestOf(key)}`, JSON.stringify({ type: 'report.closed', timestamp, data: { issue: key } }), signal)
    },
  }
}

function complain(what: string, text: string): string | undefined {
  if (text.trim() === '' || text.length > 255) return `${what} must have 1 to 255 characters`
  return /\p{Cc}|\p{Cs}/u.test(text) ? `${what} must have no control characters` : undefined
}

const boundPayload = (note: Note, payloadOf: (note: Note) => string) => payloadOf(boundNote(note, payloadOf))

function notePayload(key: string, note: Note): string {
  const type = note.outcome === undefined ? 'report.noted' : 'diagnosis.finished'
  return JSON.stringify({ type, timestamp: note.at, data: { issue: key, ...note } })
}

function openPayload({ project, labels, type, title }: IssueDraft, note: Note): string {
  const data = { issue: note.marker, marker: note.marker, project, labels, type, title: cutLine(plainLine(title), noteLimits.title), note }
  return JSON.stringify({ type: 'report.opened', timestamp: note.at, data })
}

const advice: Readonly<Record<number, string>> = {
  401: 'the signature is not accepted (401); check that both sides have the same secret',
  403: 'it is forbidden (403); check the secret and what the receiver allows',
  404: `nothing receives at this path, or there is no such issue (404); check the tracker's url and the key`,
  410: 'the receiver is gone for good (410); remove this tracker or change its url',
  422: 'the receiver does not accept the report (422)',
}

function checkedSecret(secret: string): string {
  const match = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(secret)
  const bytes = match?.[1] ? Math.floor((match[1].replace(/=+$/, '').length * 3) / 4) : 0
  if (bytes < 24 || bytes > 64) throw new Error('Cannot use the secret of a standard-webhook tracker: expected "whsec_" and base64 of 24 to 64 bytes')
  return secret
}
