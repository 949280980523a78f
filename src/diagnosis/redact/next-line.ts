import { hidden } from './redactor.ts'
import { valueAt } from './secret-value.ts'
import { isSecret, namesSecret } from './secret-words.ts'

/** `- name: DB_PASSWORD` and `"name": "DB_PASSWORD",`: the value stands on the next line. */
const name = /^[\s-]*(?:\\?["'])?name(?:\\?["'])?\s{0,8}:\s{0,8}["']?([\w.-]{1,256})["']?,?\s*$/i
const value = /^\s*["']?value["']?\s{0,8}:\s{0,8}(?=\S)/i
/** `- --password` and `"--password",`: so does the argument. */
const flag = /^\s*(?:-\s+)?["']?(--?[\w-]{1,128})["']?,?\s*$/
const item = /^\s*(?:-\s+)?(?=\S)/
/** `password: |`: the lines that are indented deeper are the value. */
const block = /^(\s*)(?:- )?["']?([\w.-]{1,256})["']?\s{0,8}:\s{1,8}[|>][-+\d]{0,2}\s*$/

type Waiting = { readonly kind: 'value' | 'item'; readonly key: string } | { readonly kind: 'block'; readonly indent: number; shown: boolean }

/** Secrets whose name stands on the line before. */
export class NextLines {
  #waiting: Waiting | undefined

  get idle(): boolean {
    return this.#waiting === undefined
  }

  /** The line without its secret, or nothing if all of it is one. */
  line(line: string, count: () => void): string | undefined {
    const waiting = this.#waiting
    if (waiting?.kind === 'block') {
      const indent = /^\s*/.exec(line)?.[0] ?? ''
      if (indent.length > waiting.indent || (line.trim() === '' && waiting.shown)) {
        if (waiting.shown) return undefined
        waiting.shown = true
        count()
        return indent + hidden
      }
    }
    this.#waiting = undefined
    const out = waiting && waiting.kind !== 'block' ? hideIn(line, waiting.kind === 'value' ? value : item, waiting.key, count) : line
    this.#waiting = waitFor(line)
    return out
  }
}

function waitFor(line: string): Waiting | undefined {
  if (line.length > 1024) return undefined
  const named = name.exec(line)?.[1]
  if (named !== undefined && namesSecret(named)) return { kind: 'value', key: named }
  const flagged = flag.exec(line)?.[1]
  if (flagged !== undefined && namesSecret(flagged)) return { kind: 'item', key: flagged }
  const blocked = block.exec(line)
  return blocked?.[2] !== undefined && namesSecret(blocked[2]) ? { kind: 'block', indent: (blocked[1] ?? '').length, shown: false } : undefined
}

function hideIn(line: string, pattern: RegExp, key: string, count: () => void): string {
  const match = pattern.exec(line)
  if (!match) return line
  const { from, to, quoted } = valueAt(line, match[0].length, 'scalar')
  const secret = line.slice(from, to)
  if ((!quoted && secret.startsWith('-')) || !isSecret(key, secret, quoted)) return line
  count()
  return line.slice(0, from) + hidden + line.slice(to)
}
