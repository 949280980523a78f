import type { Finding } from '../../diagnosis/diagnosis.ts'
import type { Note } from './tracker.ts'

/**
 * A note in the Markdown of GitHub and of GitLab, without its marker line. All text of the note is shown as it is, and copies as it is: none of
 * it becomes markup, a link, a picture, a mention, a reference, an emoji or a command, and none of it ends a block. Expects a bounded note (`boundNote`).
 *
 * An escape would not do: both render first, and look for mentions and references in the text of the finished page. There they leave out
 * what stands in `code` and `pre`, and so does this file: every word that is more than a word stands in code, evidence in fenced blocks
 * (https://github.com/gjtorikian/html-pipeline/blob/main/lib/html_pipeline/node_filter/mention_filter.rb,
 * https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/banzai/filter/references/reference_filter.rb).
 */
export function renderMarkdown(note: Note): string {
  // Usually the headline is the title of the first finding: said once, it heads both.
  const saidByFirst = note.findings[0]?.title === note.headline
  const blocks = [
    ...(saidByFirst ? [] : [`### ${markdownText(note.headline)}`]),
    ...note.findings.map((finding, at) => findingBlock(at === 0 && saidByFirst ? '###' : '####', finding)),
    factTable(note),
    note.links.map(({ label, url }) => `[${markdownText(label)}](<${markdownUrl(url)}>)`).join(' · '),
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}

function findingBlock(heading: string, finding: Finding): string {
  const advice = [
    ...(finding.cause ? [`**Cause:** ${markdownText(finding.cause)}`] : []),
    ...(finding.next ? [`**Next step:** ${markdownText(finding.next)}`] : []),
  ]
  return [
    `${heading} ${finding.severity.toUpperCase()}: ${markdownText(finding.title)}`,
    ...(finding.evidence === undefined ? [] : [fencedText(finding.evidence)]),
    ...advice,
  ].join('\n\n')
}

function factTable(note: Note): string {
  if (note.facts.length === 0) return ''
  return ['| Fact | Value |', '| --- | --- |', ...note.facts.map(([label, value]) => `| ${markdownText(label)} | ${markdownText(value)} |`)].join(
    '\n',
  )
}

/** A word of letters alone, or a number, with the punctuation of prose about it; or a dash. No abbreviated commit, which are 7 hexadecimal digits and more. */
const prose = /^(?!.*[0-9a-f]{7})["'“‘(]*(?:\p{L}[\p{L}\p{M}]*(?:['’-]\p{L}[\p{L}\p{M}]*)*|\d{1,6}(?:[.,]\d{1,6})*)["'”’).,;:!?…]*$|^[-–—…·]$/iu

/** One line of text, for anywhere in a line or a cell of a table, but not for a line's beginning. What is more than words stands in code. */
export function markdownText(text: string): string {
  const runs: { readonly code: boolean; readonly words: string[] }[] = []
  for (const word of text.split(' ')) {
    const code = !prose.test(word)
    const last = runs.at(-1)
    if (last?.code === code) last.words.push(word)
    else runs.push({ code, words: [word] })
  }
  return runs.map(({ code, words }) => (code ? codeText(words.join(' ')) : words.join(' '))).join(' ')
}

/**
 * Code, and after it the punctuation of the sentence. With a backtick or a pipe in it, it is written as HTML with character references: implementations
 * differ in where a backslash before a pipe ends a cell. References inside `code` stay text for all that comes after rendering, too.
 */
function codeText(text: string): string {
  if (text === '') return ''
  const [, code = text, end = ''] = /^(.*[^\s.,;:])([.,;:]+)$/.exec(text) ?? []
  const written = /[`|]/.test(code)
    ? `<code>${code.replace(/[!-/:-@[-`{-~]/g, (character) => `&#${character.charCodeAt(0)};`)}</code>`
    : `\`${code}\``
  return `${written}${end}`
}

/**
 * Lines of text as a block of code. It is indented, which a reader does not see: so no line of a text can be our marker, and none is a command
 * to GitLab, which looks for lines that begin with a slash before it knows what is code
 * (https://gitlab.com/gitlab-org/gitlab/-/blob/master/lib/gitlab/quick_actions/extractor.rb).
 */
export function fencedText(text: string): string {
  const longest = Math.max(2, ...Array.from(text.matchAll(/`+/g), ([run]) => run.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${text}\n${fence}`.replace(/^(?=.)/gm, '  ')
}

/** A URL as a destination in angle brackets takes it; what is neither a letter nor common in URLs is percent-encoded. */
function markdownUrl(url: string): string {
  return url
    .replace(/[^A-Za-z0-9\-._~:/?#&=%+,;@]/gu, (character) => encodeURIComponent(character).replace(/[!'()*]/g, percent))
    .replaceAll('&', '&amp;')
}

function percent(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
