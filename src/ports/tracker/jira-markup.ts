import type { Finding, Severity } from '../../diagnosis/diagnosis.ts'
import type { Note } from './tracker.ts'

/**
 * A note in the wiki markup of Jira Server and Data Center. All text of the note is shown as it is: none of it becomes markup, a macro, a
 * link, a mention, an image or an emoticon, and none of it ends a block. Expects a bounded note (`boundNote`).
 *
 * Written against the passes of Atlassian's renderer (macros, links, URLs, issue keys, images, escapes, phrases, blocks); the notation is
 * https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all.
 */
export function renderJiraMarkup(note: Note): string {
  // Usually the headline is the title of the first finding: said once, it heads both.
  const saidByFirst = note.findings[0]?.title === note.headline
  const blocks = [
    ...(saidByFirst ? [] : [`h3. ${jiraText(note.headline)}`]),
    ...note.findings.map((finding, at) => findingBlock(at === 0 && saidByFirst, finding)),
    note.facts.map(([label, value]) => `||${cell(label)}|${cell(value)}|`).join('\n'),
    note.links.map(({ label, url }) => `[${jiraText(label || 'Link')}|${jiraUrl(url)}]`).join(' · '),
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}

const colours: Readonly<Record<Severity, string>> = { error: '#bf2600', warn: '#974f0c', info: '#0747a6' }

function findingBlock(heads: boolean, finding: Finding): string {
  const severity = `{color:${colours[finding.severity]}}*${finding.severity.toUpperCase()}*{color}`
  const title = jiraText(finding.title)
  const advice = [
    ...(finding.cause ? [`*Cause:* ${jiraText(finding.cause)}`] : []),
    ...(finding.next ? [`*Next step:* ${jiraText(finding.next)}`] : []),
  ]
  return [
    heads ? `h3. ${severity} ${title}` : `${severity} ${title === '' ? '' : `*${title}*`}`.trimEnd(),
    ...(finding.evidence ? [`{noformat}\n${jiraPre(finding.evidence)}\n{noformat}`] : []),
    ...(advice.length === 0 ? [] : [advice.join('\n')]),
  ].join('\n\n')
}

/** An empty cell would make the one before it a heading (`||`). */
function cell(value: string): string {
  return jiraText(value) || ' '
}

/**
 * One line of text. What may begin or end any markup is written as a character reference, which is what the renderer itself makes of `\*`:
 * no pass looks into it, and browsers show the character.
 *
 * - Dashes and underscores stay between letters and digits, where they mean nothing; not so the dash of an issue key (`OPS-1`).
 * - A colon stays before white space and between digits: others may begin an emoticon, or make a URL.
 * - Characters beyond the basic plane are refused by a MySQL of three-byte UTF-8; those of private use are what the renderer marks its own
 *   passes with.
 */
export function jiraText(text: string): string {
  return text.replace(
    /[&<>*^~%@#![\]{}|()?+\\]|(?<!\p{N}):(?=\S)|:(?=[^\s\p{N}])|(?<=^(?:h[1-6]|bq))\.|(?<![\p{L}\p{N}])[-_]|[-_](?![\p{L}\p{N}])|(?<=\p{Lu}[\p{Lu}\p{N}_]*)-(?=\p{N})|(?<=[\u{10000}-\u{10ffff}])[-_]|[-_](?=[\u{10000}-\u{10ffff}])|[\u{10000}-\u{10ffff}\p{Co}]/gu,
    reference,
  )
}

/**
 * Text inside `{noformat}`, where references are shown as they are written and nothing but the end of the block is looked for. The renderer reads over
 * backslashes and line breaks within a macro's name, so that `{no\format}` ends the block, too: the brace of any of these gets a space.
 */
export function jiraPre(text: string): string {
  return text
    .replace(/\{(?=[\s\\]*n[\s\\]*o[\s\\]*f[\s\\]*o[\s\\]*r[\s\\]*m[\s\\]*a[\s\\]*t)/gi, '{ ')
    .replace(/[\u{10000}-\u{10ffff}\p{Co}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A URL as the link parser takes it whole; what it would cut at or read as markup is percent-encoded. */
function jiraUrl(url: string): string {
  return url.replace(/[^A-Za-z0-9\-._/:?#&=%+,;]/gu, (character) => encodeURIComponent(character).replace(/[!'()*~]/g, percent))
}

function reference(match: string): string {
  return `&#${match.codePointAt(0)};`
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
