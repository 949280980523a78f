import { Webhook } from 'standardwebhooks'
import { boundNote } from './bound-note.ts'
import { digestOf } from './digest.ts'
import { type Note, type Tracker, TrackerRejected } from './tracker.ts'
import { complaint, type TrackerHttp, trackerFetch } from './tracker-http.ts'

/**
 * Any other tracker: a POST signed as Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md),
 * type `diagnosis.finished`, the whole note as `data`.
 *
 * `webhook-id` names a message: it is the same whenever the same message is sent again, and receivers drop an id that they know. A note
 * whose text has changed is therefore another message: the id is `<diagnosis id>-<digest of the payload>`, the same for the same text
 * after any crash, and `data.marker`, the diagnosis id, tells the receiver which note to replace.
 *
 * Throws a plain Error when the secret is not `whsec_` and base64 of 24 to 64 bytes.
 */
export function standardWebhook(options: TrackerHttp & { readonly url: string; readonly secret: string }): Tracker {
  const webhook = new Webhook(checkedSecret(options.secret))
  return {
    keyOfUrl: () => undefined,
    complainAboutKey(key) {
      if (key.trim() === '' || key.length > 255) return 'the key of a webhook report must have 1 to 255 characters'
      return /\p{Cc}|\p{Cs}/u.test(key) ? 'the key of a webhook report must have no control characters' : undefined
    },
    async writeNote(key, note, { knownNoteId, signal }) {
      const payload = payloadOf(
        key,
        boundNote(note, (bounded) => payloadOf(key, bounded)),
      )
      const id = `${note.marker}-${await digestOf(payload)}`
      // Known to be delivered, and nothing has changed since.
      if (id === knownNoteId) return { noteId: id }
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
      return { noteId: id }
    },
  }
}

function payloadOf(key: string, note: Note): string {
  return JSON.stringify({ type: 'diagnosis.finished', timestamp: note.at, data: { issue: key, ...note } })
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
