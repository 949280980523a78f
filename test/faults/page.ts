import type { Scored } from './judge.ts'
import type { Result } from './run-case.ts'

/** One line of docs/faults.md. */
export interface Row {
  readonly name: string
  /** The check, or part of the evidence, that gave the first finding; `none` where nothing is wrong. */
  readonly check: string
  readonly fault: string
  readonly finding: string
  readonly id: string
}

const head = `# Faults and findings

What the first finding says of each real fault in a real pod of the lab. Generated: \`npm run test:faults -- --write\`; do not edit. A fault is a file
in \`test/lab/faults\`, whose README.md tells how it is judged; the check is the one that found it, or the part of the API's evidence. Cases with a
check, toolset, profile or twin in brackets are asked for that; all others are diagnosed with defaults.

| Check | Fault | Case | First finding | Id |
| --- | --- | --- | --- | --- |
`

/** A row for each case whose fault was named, or that is healthy and silent. */
export function rowsOf(results: readonly (Scored & Pick<Result, 'diagnosis'>)[]): readonly Row[] {
  return results
    .filter(({ verdict }) => verdict === 'ok')
    .map(({ one, diagnosis }): Row => {
      const first = diagnosis?.findings[0]
      const { checks = [], toolset, profile, compare } = one.asked ?? {}
      const asked = [...checks, ...(toolset ? [`toolset ${toolset}`] : []), ...(profile ? [`profile ${profile}`] : []), ...(compare ? ['twin'] : [])]
      return {
        name: one.name,
        // What a check finds may bear another's name: the same trouble has the same id.
        check: (first?.source === 'container' && checks.length === 1 ? checks[0]?.replace(/=.*/, '') : first?.check) ?? 'none',
        fault: `${one.summary}${asked.length > 0 ? ` [${asked.join(', ')}]` : ''}`,
        finding: withoutNode(first?.title ?? 'no finding'),
        id: first?.id ?? '',
      }
    })
}

/** Go names the nameserver that it asked: the kubelet's is that of the machine under the lab, and nobody else's business. */
function withoutNode(finding: string): string {
  return finding.replace(/( on )[\d.]+:53(?=: )/, '$1its nameserver')
}

export function renderPage(rows: readonly Row[]): string {
  const order = (row: Row): string => `${row.check === 'none' ? 1 : 0} ${row.check} ${row.name}`
  const lines = rows
    .toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
    .map(({ name, check, fault, finding, id }) => `| ${[check, cell(fault), `\`${name}\``, cell(finding), id ? code(id) : ''].join(' | ')} |`)
  return `${head}${lines.join('\n')}\n`
}

/** The rows of a page that {@link renderPage} made. */
export function readPage(page: string): readonly Row[] {
  return page.split('\n').flatMap((line): Row[] => {
    const cells = line.slice(1, -1).split(/(?<!\\)\|/)
    const [check = '', fault = '', name = '', finding = '', id = ''] = cells.map((text) => text.trim().replaceAll('\\|', '|'))
    return line.startsWith('| ') && /^`.*`$/.test(name) ? [{ check, fault, name: name.slice(1, -1), finding, id: id.replaceAll('`', '') }] : []
  })
}

/** `rows` in the place of those of the same cases; of others those stay whose case is still there. */
export function mergeRows(page: readonly Row[], rows: readonly Row[], names: readonly string[]): readonly Row[] {
  const fresh = new Set(rows.map(({ name }) => name))
  return [...page.filter(({ name }) => !fresh.has(name) && names.includes(name)), ...rows]
}

/** Names of cases whose row says something else than `rows`: numbers, names of pods and hashes aside, which differ every time. */
export function outdated(page: readonly Row[], rows: readonly Row[]): readonly string[] {
  const old = new Map(page.map((row) => [row.name, row]))
  return rows.filter((row) => JSON.stringify(sameEachTime(old.get(row.name))) !== JSON.stringify(sameEachTime(row))).map(({ name }) => name)
}

function sameEachTime(row: Row | undefined): unknown {
  // The suffixes that controllers give to pods, then every number.
  const plain = (text: string) => text.replace(/-[bcdf-hj-np-tv-z2456789]{8,10}-[bcdf-hj-np-tv-z2456789]{5}\b/g, '-…').replace(/\d+(\.\d+)?/g, '#')
  return row && { check: row.check, fault: row.fault, finding: plain(row.finding), id: plain(row.id) }
}

const cell = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;')
const code = (text: string): string => `\`${cell(text)}\``
