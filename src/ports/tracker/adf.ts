import type { Finding, Severity } from '../../diagnosis/diagnosis.ts'
import type { Note } from './tracker.ts'

/** A node of the Atlassian Document Format. */
export interface AdfNode {
  readonly type: string
  readonly attrs?: Readonly<Record<string, string | number>>
  readonly content?: readonly AdfNode[]
  readonly text?: string
  readonly marks?: readonly AdfMark[]
}

export interface AdfMark {
  readonly type: 'strong' | 'textColor' | 'link'
  readonly attrs?: Readonly<Record<string, string>>
}

export interface AdfDocument {
  readonly type: 'doc'
  readonly version: 1
  readonly content: readonly AdfNode[]
}

/**
 * A note in the Atlassian Document Format (https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/). The document is a tree
 * in which text is text: mentions, cards and media are nodes of their own, and none is made here. Expects a bounded note (`boundNote`).
 */
export function renderAdf(note: Note): AdfDocument {
  // Usually the headline is the title of the first finding: said once, it heads both.
  const saidByFirst = note.findings[0]?.title === note.headline
  return {
    type: 'doc',
    version: 1,
    content: [
      ...(saidByFirst ? [] : [heading(text(note.headline))]),
      ...note.findings.flatMap((finding, at) => findingNodes(at === 0 && saidByFirst ? heading : paragraph, finding)),
      ...factTable(note),
      ...linkLine(note),
    ],
  }
}

const colours: Readonly<Record<Severity, string>> = { error: '#bf2600', warn: '#974f0c', info: '#0747a6' }
const strong: AdfMark = { type: 'strong' }

type Block = (...inline: readonly (readonly AdfNode[])[]) => AdfNode

const heading: Block = (...inline) => ({ type: 'heading', attrs: { level: 3 }, content: inline.flat() })
const paragraph: Block = (...inline) => ({ type: 'paragraph', content: inline.flat() })

/** No node for no text: an empty text node makes the whole document invalid. */
function text(value: string, ...marks: readonly AdfMark[]): AdfNode[] {
  return value === '' ? [] : [{ type: 'text', text: value, ...(marks.length === 0 ? {} : { marks }) }]
}

function findingNodes(block: Block, finding: Finding): AdfNode[] {
  const severity = text(finding.severity.toUpperCase(), strong, { type: 'textColor', attrs: { color: colours[finding.severity] } })
  const title = block === paragraph ? text(` ${finding.title}`, strong) : text(` ${finding.title}`)
  const advice = [...said('Cause: ', finding.cause), ...said('Next step: ', finding.next)]
  return [
    block(severity, title),
    ...(finding.evidence ? [{ type: 'codeBlock', content: text(finding.evidence) }] : []),
    ...(advice.length === 0 ? [] : [paragraph(...advice.map((line, at) => (at === 0 ? line : [{ type: 'hardBreak' }, ...line])))]),
  ]
}

function said(label: string, value: string | undefined): AdfNode[][] {
  return value ? [[...text(label, strong), ...text(value)]] : []
}

function factTable(note: Note): AdfNode[] {
  if (note.facts.length === 0) return []
  const row = ([label, value]: Note['facts'][number]): AdfNode => ({
    type: 'tableRow',
    content: [
      { type: 'tableHeader', content: [paragraph(text(label))] },
      { type: 'tableCell', content: [paragraph(text(value))] },
    ],
  })
  return [{ type: 'table', content: note.facts.map(row) }]
}

function linkLine(note: Note): AdfNode[] {
  if (note.links.length === 0) return []
  const links = note.links.map(({ label, url }) => text(label || url, { type: 'link', attrs: { href: url } }))
  return [paragraph(...links.map((link, at) => (at === 0 ? link : [...text(' · '), ...link])))]
}
