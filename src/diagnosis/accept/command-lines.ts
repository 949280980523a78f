/** A line that begins with the command. `doubt`: why it may be code, a quotation or invisible, and what to do about it. */
export interface CommandLine {
  readonly line: string
  readonly doubt?: string
}

/** Code whose text does not count; `sure`: all readings of the Markdown agree that it begins here. */
interface Fence {
  readonly kind: 'fence'
  readonly char: string
  readonly length: number
  /** Of a fence that may stand in a list: one that is indented less than it does not. */
  readonly indent: number
  readonly sure: boolean
}

/** From a line to the one that holds `close`. */
interface Region {
  readonly kind: 'region'
  readonly close: string
  readonly sure: boolean
}

const commandPattern = /^\/diagnose(?=\s|$)/i
const fencePattern = /^( *)(`{3,}|~{3,})(.*)$/
const hiddenPattern = /<!--|<\?|<!\[cdata\[|<(pre|code|blockquote|script|style|textarea|template|title|xmp|iframe)(?=[\s/>]|$)/g
const closes: Readonly<Record<string, string>> = { '<!--': '-->', '<?': '?>', '<![cdata[': ']]>' }

/** What a next line may be a part of: a tag, a link, code, and a quotation in a list. */
const goesOn = /[<[`]|^[\s*+\-\d.)]*>/

const doubts = {
  code: 'write it on the first line: it comes after a list, HTML or a quotation that may make it a part of a code block',
  hidden: 'write it on the first line: it comes after HTML that may hide or quote it',
  paragraph: 'leave an empty line above it: as it is, it may be a part of the quotation, code or link above',
} as const

/**
 * The lines of a Markdown text that begin, in their first column, with `/diagnose`; not those in code, quotations and HTML comments.
 * Where a line cannot be told from one of those, it comes with the doubt: what a reader sees as quoted or does not see must never run, for
 * whoever gives an issue the label acts on the words of another. Rules: https://spec.commonmark.org/0.31.2/, and GitLab's `>>>`
 * (https://docs.gitlab.com/user/markdown/#multiline-blockquote). Time grows with the length of the text alone.
 */
export function commandLines(text: string): CommandLine[] {
  const found: CommandLine[] = []
  let inside: Fence | Region | undefined
  let lists = false
  let unsure = false
  // Since the last empty line: a quotation, link, code or tag that may go on in the next line; a block of HTML, in which nothing is Markdown.
  let open = false
  let html = false

  for (const line of text.split(/\r\n|[\r\n]/)) {
    const fence = fenceOf(line)
    if (inside) {
      if (commandPattern.test(line) && !inside.sure) found.push({ line, doubt: inside.kind === 'fence' ? doubts.code : doubts.hidden })
      // Read the other way, this begins something else.
      if (!inside.sure && (regionFrom(line, true) || (fence && (inside.kind === 'region' || fence.indent < inside.indent)))) unsure = true
      const rest = ends(inside, line, fence)
      if (rest === undefined) continue
      open = !inside.sure || goesOn.test(rest)
      html &&= !inside.sure
      inside = regionFrom(rest, true)
      continue
    }
    if (line.trim() === '') {
      open = false
      html = false
      continue
    }
    if (/^>>>\s*$/.test(line)) {
      inside = { kind: 'region', close: '>>>', sure: false }
      continue
    }
    if (/^ {0,3}>/.test(line)) {
      open = true
      continue
    }
    if (fence && fence.indent <= 3 && (fence.char === '~' || !fence.info.includes('`'))) {
      const maybeInList = lists && fence.indent > 1
      inside = { kind: 'fence', ...fence, indent: html ? Number.POSITIVE_INFINITY : fence.indent, sure: !html && !maybeInList }
      open = false
      continue
    }
    if (commandPattern.test(line)) {
      const doubt = unsure ? doubts.code : open ? doubts.paragraph : undefined
      found.push({ line, ...(doubt === undefined ? {} : { doubt }) })
    }
    // A comment of one line, as templates have them, is a block of its own.
    if (!html && /^<!--[^<]*-->\s*$/.test(line)) continue
    inside = regionFrom(line, html)
    open ||= goesOn.test(line)
    html ||= /^ {0,3}</.test(line)
    lists ||= /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s|$)/.test(line)
  }
  return found
}

interface FenceLine {
  readonly char: string
  readonly length: number
  readonly indent: number
  readonly info: string
}

function fenceOf(line: string): FenceLine | undefined {
  const [, indent = '', marks = '', info = ''] = fencePattern.exec(line) ?? []
  return marks === '' ? undefined : { char: marks.charAt(0), length: marks.length, indent: indent.length, info }
}

/** What follows the end of it in the line that ends it. */
function ends(inside: Fence | Region, line: string, fence: FenceLine | undefined): string | undefined {
  if (inside.kind === 'region') {
    if (inside.close === '>>>') return /^>>>\s*$/.test(line) ? '' : undefined
    const at = line.toLowerCase().indexOf(inside.close)
    return at < 0 ? undefined : line.slice(at + inside.close.length)
  }
  const same = fence !== undefined && fence.char === inside.char && fence.length >= inside.length && fence.indent <= 3 && fence.info.trim() === ''
  return same ? '' : undefined
}

/** The HTML that begins in a line and does not end there: a comment, what shows its text as code or a quotation, or a tag that is still open. */
function regionFrom(line: string, html: boolean): Region | undefined {
  const lower = line.toLowerCase()
  for (let from = 0; ; ) {
    hiddenPattern.lastIndex = from
    const match = hiddenPattern.exec(lower)
    if (!match) break
    const close = match[1] === undefined ? (closes[match[0]] ?? '>') : `</${match[1]}`
    const end = lower.indexOf(close, match.index + 2)
    if (end < 0) return { kind: 'region', close, sure: match.index === 0 && !html && /^<(!--|pre|script|style|textarea)/.test(lower) }
    from = end + close.length
  }
  const rest = lower.slice(lower.lastIndexOf('>') + 1)
  return /<[/!]?[a-z]/.test(rest) ? { kind: 'region', close: '>', sure: false } : undefined
}
