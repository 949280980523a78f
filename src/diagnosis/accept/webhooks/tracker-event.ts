import { commandLines } from '../command-lines.ts'

/** What a webhook of a bug tracker means to us. */
export type TrackerEvent = CommandEvent | { readonly kind: 'ignored'; readonly why: string }

/** A new comment, or the label on an issue: its text may hold a command. */
export interface CommandEvent {
  readonly kind: 'command'
  readonly trigger: 'comment' | 'label'
  /** The same for every delivery of the event; unique in its tracker. */
  readonly id: string
  /** Who wrote the comment or set the label, as people call them there. */
  readonly author: string
  /** What `users` of the configuration may call them: first `id:` and what never changes, then the name. See {@link principalOf}. */
  readonly authorKeys: readonly string[]
  /** As the Tracker has it: `owner/repository#12`, `group/project#12`, `OPS-12`. */
  readonly issueKey: string
  /** Anyone may read the issue: whoever may not ask gets no answer there. */
  readonly isPublic: boolean
  /** Markdown, or what became of another markup: the comment; of a label the description of the issue. For `parseCommand`. */
  readonly text: string
}

export interface EventAround {
  readonly headers: Headers
  /** The label that starts a diagnosis, as configured. */
  readonly label: string
}

export const ignored = (why: string): { readonly kind: 'ignored'; readonly why: string } => ({ kind: 'ignored', why })

/** A comment without a command, which most are: nobody needs to look at it, whoever wrote it. */
export function holdsCommand(text: string): boolean {
  return commandLines(text).length > 0
}

/** Our notes and the descriptions of our issues hold this line (see the trackers' `markedText`); what they quote of a pod is no command. */
export function isOurs(text: string): boolean {
  return /^<!-- autodiagnose /m.test(text)
}

/** `id:` and the tracker's own unchanging id, then the name; a name that looks like such an id is left out. */
export function authorKeysOf(id: string | number | undefined, name: string | undefined): string[] {
  const keys = id === undefined ? [] : [`id:${id}`]
  return name === undefined || name === '' || /^id:/i.test(name) ? keys : [...keys, name]
}

/**
 * The principal that `users` maps an author to. Ids must match exactly; of names the case of A to Z does not count, as it does not on
 * GitHub, GitLab and Jira. Only A to Z: other letters are never taken for these, so that nobody can be called nearly the same.
 */
export function principalOf(users: Readonly<Record<string, string>>, authorKeys: readonly string[]): string | undefined {
  for (const key of authorKeys) {
    const same = /^id:/i.test(key) ? (name: string) => name === key : (name: string) => fold(name) === fold(key)
    const entry = Object.entries(users).find(([name]) => same(name))
    if (entry) return entry[1]
  }
  return undefined
}

function fold(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
