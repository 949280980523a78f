import { mapOf } from './delivery.ts'

const blocks = [/(?<!\\)\{(code|noformat)(?::[^{}\n]*)?\}[\s\S]*?(?:(?<!\\)\{\1\}|$)/gi, /(?<!\\)\{quote\}[\s\S]*?(?:(?<!\\)\{quote\}|$)/gi]

/**
 * The lines of a text of Jira that may be a command, as Markdown has them, and those that would begin code there; no others. Without what
 * Jira shows as code or as a quotation. Jira's webhooks hold wiki markup, whatever the editor; newer ones ADF: both are read.
 * https://jira.atlassian.com/secure/WikiRendererHelpAction.jspa?section=all,
 * https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
 */
export function jiraText(body: unknown): string {
  const lines = typeof body === 'string' ? wikiLines(body) : adfLines(body)
  return lines.map((line) => (/^(?:\/diagnose| {0,3}(?:```|~~~))/i.test(line) ? line : '')).join('\n')
}

function wikiLines(text: string): string[] {
  // A space in its place: what follows a block in the same line does not begin a line.
  const visible = blocks.reduce((rest, block) => rest.replace(block, ' '), text)
  return visible.split(/\r\n|[\r\n]/).map(plain)
}

/** Without monospace, with the words of a link in place of the link, and without the backslashes that keep characters from being markup. */
function plain(line: string): string {
  return line
    .replace(/\{\{([^{}]*)\}\}/g, '$1')
    .replace(/(?<!\\)\[([^[\]|]*)\|[^[\]]*\]/g, '$1')
    .replace(/(?<!\\)\[(https?:\/\/[^[\]|]*)\]/gi, '$1')
    .replace(/(?<=.)\\([!-/:-@[-`{-~])/g, '$1')
}

/** The paragraphs of the document itself; what stands in a list, a table, a panel, a quotation or code is no line of its own. */
function adfLines(body: unknown): string[] {
  const document = mapOf(body)
  if (document?.type !== 'doc' || !Array.isArray(document.content)) return []
  return document.content.flatMap((block) => {
    const paragraph = mapOf(block)
    if (paragraph?.type !== 'paragraph' || !Array.isArray(paragraph.content)) return ['']
    return [...paragraph.content.map(inline).join('').split('\n'), '']
  })
}

function inline(value: unknown): string {
  const node = mapOf(value)
  const attributes = mapOf(node?.attrs)
  const oneLine = (text: unknown) => (typeof text === 'string' ? text.replace(/\s/g, ' ') : '')
  if (node?.type === 'hardBreak') return '\n'
  if (node?.type === 'inlineCard') return oneLine(attributes?.url)
  if (node?.type === 'mention' || node?.type === 'emoji') return oneLine(attributes?.text)
  if (node?.type !== 'text') return ''
  const isCode = Array.isArray(node.marks) && node.marks.some((mark) => mapOf(mark)?.type === 'code')
  return isCode ? `\`${oneLine(node.text)}\`` : oneLine(node.text)
}
