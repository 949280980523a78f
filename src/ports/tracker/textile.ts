import type { Finding, Severity } from '../../diagnosis/diagnosis.ts'
import type { Note } from './tracker.ts'

/**
 * A note in Redmine's Textile, without its marker line. All text of the note is shown as it is: none of it becomes markup, a link, a
 * mention or a macro, and none of it ends a block. Expects a bounded note (`boundNote`).
 *
 * Written against Redmine's own fork of RedCloth 3 and its link and macro passes
 * (https://github.com/redmine/redmine/tree/5.0-stable/lib/redmine/wiki_formatting and app/helpers/application_helper.rb).
 */
export function renderTextile(note: Note): string {
  // Usually the headline is the title of the first finding: said once, it heads both.
  const saidByFirst = note.findings[0]?.title === note.headline
  const blocks = [
    ...(saidByFirst ? [] : [`h3. ${textileText(note.headline)}`]),
    ...note.findings.map((finding, at) => findingBlock(at === 0 && saidByFirst ? 'h3' : 'p', finding)),
    factTable(note),
    linkLine(note),
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}

const colours: Readonly<Record<Severity, string>> = { error: '#b00020', warn: '#8a5a00', info: '#3a5a7a' }

function findingBlock(block: 'h3' | 'p', finding: Finding): string {
  const title = textileText(finding.title)
  const parts = [`${block}. *%{color:${colours[finding.severity]}}${finding.severity.toUpperCase()}%* ${block === 'p' ? `*${title}*` : title}`]
  if (finding.evidence !== undefined) parts.push(`<pre>\n${preText(finding.evidence)}\n</pre>`)
  const advice = [
    ...(finding.cause ? [`*Cause:* ${textileText(finding.cause)}`] : []),
    ...(finding.next ? [`*Next step:* ${textileText(finding.next)}`] : []),
  ]
  if (advice.length > 0) parts.push(`p. ${advice.join('\n')}`)
  return parts.join('\n\n')
}

function factTable(note: Note): string {
  // Labels are bold cells, not header cells: a header in the first row makes Redmine's script sort the table at a click.
  return note.facts.map(([label, value]) => `| *${wrapping(label)}* | ${wrapping(value)} |`).join('\n')
}

/** A word that is too long for a cell would push the table over the edge of the page: it may be broken at every 75th character. */
function wrapping(text: string): string {
  return text
    .replace(/\S{75}(?=\S)/gu, '$&\u200b')
    .split('\u200b')
    .map(textileText)
    .join('&#8203;')
}

function linkLine(note: Note): string {
  if (note.links.length === 0) return ''
  return `p. ${note.links.map(({ label, url }) => `"${textileText(label)}":${textileUrl(url)}`).join(' · ')}`
}

/**
 * One line of text. Punctuation that may begin or end any markup is written as a character reference, which both passes of Redmine's
 * formatter leave alone; the rest stays readable in the plain-text mail that Redmine sends.
 */
export function textileText(text: string): string {
  return (
    text
      // A letter beyond the basic plane becomes a reference itself, and what follows it no longer stands inside a word.
      .replace(/[&<>"*^~%@#![\]{}|(=?+\\`]|:(?=\S)|(?<![\p{L}\p{N}])[-_]|(?<=[\u{10000}-\u{10ffff}])[-_]|--|__|[\u{10000}-\u{10ffff}]/gu, references)
      // A changeset (`r12`), and a host name that would become a link.
      .replace(/(?<![\p{L}\p{N}])r(?=\d)/gu, references)
      .replace(/(?<=www)\./gi, references)
  )
}

/**
 * Text inside `<pre>`, where references are shown as they are written. Redmine escapes HTML there, so that only what its formatter
 * looks for before or after it does has to be broken, by a space: tags that end the block, macros (`{{…}}` may reach from one block into
 * the next) and the formatter's own place holders. All other tags, comments and mentions are broken too, for a Redmine that is set to
 * Markdown does not leave them alone there, and because our marker is a comment. Characters beyond the basic plane, which a MySQL of three-byte UTF-8
 * refuses with the whole note, are written as `\u{1f600}`.
 */
export function preText(text: string): string {
  return text
    .replace(/<(?=[a-z/!?])|(?<!\w)@(?=[\w.-])|\{(?=\{)|:(?=redsh#)|x%(?=x%)/giu, '$& ')
    .replace(/[\u{10000}-\u{10ffff}]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A URL as Redmine's link pattern takes it whole; what it would cut at or read as markup is percent-encoded. */
function textileUrl(url: string): string {
  return url.replace(/[^A-Za-z0-9\-._~:/?#&=%+,;@]/gu, (character) => encodeURIComponent(character).replace(/[!'()*]/g, percent))
}

function references(match: string): string {
  return Array.from(match, (character) => `&#${character.codePointAt(0)};`).join('')
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
