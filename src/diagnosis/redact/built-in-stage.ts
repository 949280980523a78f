import { NextLines } from './next-line.ts'
import { PrivateKeys } from './private-key.ts'
import { hitsIn, redactLine } from './rules.ts'
import type { Stage } from './stage.ts'

/** The built-in rules. Lines that hold no trigger go by in one piece, unless a secret of several lines is under way. */
export function builtInStage(count: (rule: string) => void): Stage {
  const keys = new PrivateKeys()
  const next = new NextLines()
  const idle = () => keys.idle && next.idle
  const countKey = () => count('private-key')
  const countPair = () => count('password-pair')

  function one(line: string): string | undefined {
    const afterKey = keys.line(line, countKey)
    if (afterKey === undefined) return undefined
    const afterNext = next.line(afterKey, countPair)
    return afterNext === undefined ? undefined : redactLine(afterNext, count)
  }

  return {
    get idle() {
      return idle()
    },
    lines(text) {
      const hitFrom = hitsIn(text)
      let out = ''
      let at = 0
      while (at < text.length) {
        let start = at
        if (idle()) {
          const hit = hitFrom(at)
          if (hit < 0) return out + text.slice(at)
          start = Math.max(at, text.lastIndexOf('\n', hit) + 1)
        }
        const newline = text.indexOf('\n', start)
        const end = newline < 0 ? text.length : newline
        const line = one(text.slice(start, end))
        out += text.slice(at, start)
        if (line !== undefined) out += newline < 0 ? line : `${line}\n`
        at = newline < 0 ? end : end + 1
      }
      return out
    },
  }
}
