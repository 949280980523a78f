import type { Finding, Outcome } from '../../diagnosis/diagnosis.ts'

/** A bug tracker. Implementations: redmine, standard-webhook; later github, gitlab, jira. One contract suite runs against each. */
export interface Tracker {
  /** The key, if the text is a URL of an issue in this tracker; undefined if it is not. */
  keyOfUrl(url: string): string | undefined
  /** What is wrong with a key, one sentence, or undefined if it may name an issue. Asks no one. */
  complainAboutKey(key: string): string | undefined
  /**
   * Makes sure that the issue has exactly one note with this marker and that it says this: finds it (`knownNoteId` first,
   * then by marker), updates it where notes can be edited and the text differs, else adds it. Safe to repeat after a crash at any line.
   * Throws {@link TrackerUnavailable} to be called again later, {@link TrackerRejected} when that would not help.
   */
  writeNote(key: string, note: Note, options: { readonly knownNoteId?: string; readonly signal: AbortSignal }): Promise<WrittenNote>
}

export interface WrittenNote {
  readonly noteId: string
  /** Where a person reads it. */
  readonly url?: string
}

/**
 * A note as data; each tracker renders it in its own markup, with all text made harmless. All text has passed the redactor.
 * What a reader sees first is the headline, then findings, then facts, then links.
 */
export interface Note {
  /** Stable and unique: the id of the diagnosis. Found again in the tracker by it. */
  readonly marker: string
  /** RFC 3339. */
  readonly at: string
  readonly headline: string
  readonly outcome: Outcome
  readonly findings: readonly Finding[]
  /** Provenance: label and value, in the order to show. */
  readonly facts: readonly (readonly [label: string, value: string])[]
  readonly links: readonly { readonly label: string; readonly url: string }[]
}

/** The tracker could not be reached, limits our rate or failed: call again after `retryAfterMs`. */
export class TrackerUnavailable extends Error {
  override readonly name = 'TrackerUnavailable'
  readonly retryAfterMs: number
  constructor(message: string, retryAfterMs: number, options?: ErrorOptions) {
    super(message, options)
    this.retryAfterMs = retryAfterMs
  }
}

/** The tracker will not take this note: no such issue, no right, not acceptable. Calling again would not help. */
export class TrackerRejected extends Error {
  override readonly name = 'TrackerRejected'
}
