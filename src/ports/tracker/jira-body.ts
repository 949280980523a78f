import { type AdfDocument, renderAdf } from './adf.ts'
import { boundNote, noteLimits } from './bound-note.ts'
import { digestOf } from './digest.ts'
import { renderJiraMarkup } from './jira-markup.ts'
import { cutLine, plainLine } from './plain-text.ts'
import type { Note } from './tracker.ts'

/** A note as Jira is sent it. */
export interface JiraBody {
  readonly marker: string
  /** Of `body`, as we wrote it. */
  readonly digest: string
  /** Cloud: a document. Server and Data Center: wiki markup. */
  readonly body: AdfDocument | string
  /** To where the first link of the note leads. */
  readonly link: JiraLink | undefined
}

/** A link of an issue to elsewhere. */
export interface JiraLink {
  /** At most 255 characters; one with the same is replaced. */
  readonly globalId: string
  readonly url: string
  readonly title: string
}

/**
 * Jira takes comments and descriptions of at most 32,767 characters (Server: `jira.text.field.character.limit`). What it counts of a document
 * is not published; its JSON is never shorter than its text.
 */
const maxCharacters = 32_000

/** The note as a body that Jira takes. A note that is too long loses evidence, then findings, then facts, from the end, and says so. */
export async function jiraBody(note: Note, cloud: boolean): Promise<JiraBody> {
  const render = cloud ? renderAdf : renderJiraMarkup
  const written = (bounded: Note) => (cloud ? JSON.stringify(renderAdf(bounded)) : renderJiraMarkup(bounded))
  // `boundNote` counts up to its own bound.
  const scaled = (bounded: Note) => 'x'.repeat(Math.ceil((written(bounded).length * noteLimits.noteBytes) / maxCharacters))
  const withFacts = (kept: number): Note => {
    const left = note.facts.length - kept
    const facts = left === 0 ? note.facts : [...note.facts.slice(0, kept), ['Facts left out', `${left} of ${note.facts.length}`] as const]
    return boundNote({ ...note, facts }, scaled)
  }
  let kept = note.facts.length
  let bounded = withFacts(kept)
  while (kept > 0 && written(bounded).length > maxCharacters) {
    kept = Math.floor(kept / 2)
    bounded = withFacts(kept)
  }
  const [link] = bounded.links
  return {
    marker: note.marker,
    digest: await digestOf(written(bounded)),
    body: render(bounded),
    link: link && { globalId: note.marker, url: link.url, title: jiraSummary(`${link.label}: ${bounded.headline}`) },
  }
}

/** A summary: one line of at most 255 UTF-16 units, as Jira counts them. */
export function jiraSummary(title: string): string {
  const line = plainLine(title) || 'Untitled'
  const cut = cutLine(line, 255)
  return cut.length <= 255 ? cut : cutLine(line, 127)
}

/** Labels of Jira have no white space and at most 255 characters. */
export function jiraLabels(labels: readonly string[]): string[] {
  return [...new Set(labels.map((label) => jiraSummary(label).replaceAll(' ', '-')))]
}
