import type { Finding, Outcome } from '../../diagnosis/diagnosis.ts'

/** A bug tracker. Implementations: github, gitlab, jira, redmine, standard-webhook, local. One contract suite runs against each. */
export interface Tracker {
  /** The issue's key, if the text is a URL of an issue in this tracker; undefined if it is not. */
  keyOfUrl(url: string): string | undefined
  /** What is wrong with a key, one sentence, or undefined if it may name an issue. Asks no one. */
  complainAboutKey(key: string): string | undefined
  /**
   * Makes sure that the issue has exactly one note with this marker and that it says this: finds it (`knownNoteId` first,
   * then by marker), updates it where notes can be edited and the text differs, else adds it. Safe to repeat after a crash at any line.
   * Throws {@link TrackerUnavailable} to be called again later, {@link TrackerRejected} when that would not help.
   */
  writeNote(key: string, note: Note, options: { readonly knownNoteId?: string; readonly signal: AbortSignal }): Promise<WrittenNote>
  /** What is wrong with the name of a project, one sentence, or undefined if issues may be opened there. Asks no one. */
  complainAboutProject(project: string): string | undefined
  /**
   * Makes sure that the project has an open issue with this marker, and gives its key: `knownKey` where that issue is still there, else the
   * newest issue with the marker, else a new one. A closed one is dealt with as `recurrence` says. Safe to repeat after a crash at any line;
   * two processes must not do it for the same marker at once. Throws as `writeNote` does.
   */
  openIssue(draft: IssueDraft, options: OpenOptions): Promise<OpenedIssue>
  /** Closes the issue, where it is open; its words stay. Throws as `writeNote` does. */
  closeIssue(key: string, options: { readonly signal: AbortSignal }): Promise<void>
}

export interface OpenOptions {
  /** Of an issue that was closed: open it again, leave it closed (the note that follows is all), or make a new one. */
  readonly recurrence: 'reopen' | 'comment' | 'new'
  readonly knownKey?: string
  readonly signal: AbortSignal
}

/** An issue to be. Its description is the note, rendered as notes are. */
export interface IssueDraft {
  readonly project: string
  /** As the tracker has them; where it has none, they are left out. */
  readonly labels: readonly string[]
  readonly type?: string
  /** One line; cut to what the tracker takes, and made plain. */
  readonly title: string
  /** Its `marker` is the issue's: the id of the trouble. */
  readonly note: Note
}

export interface OpenedIssue {
  readonly key: string
  readonly url?: string
  readonly state: 'made' | 'found' | 'reopened'
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
  /** Stable and unique, of letters, digits and dashes: the id of the diagnosis, or of what else is told. Found again in the tracker by it. */
  readonly marker: string
  /** RFC 3339. */
  readonly at: string
  readonly headline: string
  /** Of a diagnosis; a note about a trouble has none. */
  readonly outcome?: Outcome
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
