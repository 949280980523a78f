import { readdirSync, readFileSync } from 'node:fs'
import { makeRedactor } from '../src/diagnosis/redact/make-redactor.ts'
import type { Redactor } from '../src/diagnosis/redact/redactor.ts'
import { rules } from '../src/diagnosis/redact/rules.ts'

/** Prints how fast logs go through the redactor, beside the same bytes decoded and encoded with nothing in between. */
const megabytes = Number(process.argv[2] ?? 64)
const pieceBytes = 65_536
const lab = new URL('../test/fixtures/redact/lab/', import.meta.url)
const captured = readdirSync(lab)
  .filter((name) => name.endsWith('-log.txt'))
  .flatMap((name) => readFileSync(new URL(name, lab), 'utf8').split('\n'))
const objects = readFileSync(new URL('pods.json', lab), 'utf8').split('\n')
const secrets = rules.map((rule) => rule.example)
const document = {
  apiVersion: 'troubleshoot.sh/v1beta2',
  kind: 'Redactor',
  spec: { redactors: [{ name: 'r', removals: { values: ['durian'], regex: [{ redactor: '(?i)(colour *= *)(?P<mask>[^;]+)(;)' }] } }] },
}

const plain = makeRedactor()
const inputs: readonly (readonly [string, readonly string[], Redactor])[] = [
  ['logs of a cluster', captured, plain],
  ['pods as JSON', objects, plain],
  [
    'logs, a secret on every 20th line',
    captured.flatMap((line, index) => (index % 20 === 0 ? [line, secrets[(index / 20) % secrets.length] ?? ''] : [line])),
    plain,
  ],
  ['a secret on every line', secrets, plain],
  ['logs of a cluster, and a redactor file', captured, makeRedactor({ files: [{ name: 'bench', document }] })],
]

/** Megabytes a second, the better of two runs. */
function measure(pieces: readonly Uint8Array[], through: () => { push(text: string): string; flush(): string }): number {
  let best = 0
  for (let run = 0; run < 2; run++) {
    const decoder = new TextDecoder()
    const encoder = new TextEncoder()
    const stream = through()
    let bytes = 0
    let out = 0
    const start = performance.now()
    for (const piece of pieces) {
      bytes += piece.length
      out += encoder.encode(stream.push(decoder.decode(piece, { stream: true }))).length
    }
    out += encoder.encode(stream.flush()).length
    if (out === 0) throw new Error('nothing came out')
    best = Math.max(best, bytes / 1e3 / (performance.now() - start))
  }
  return best
}

const passThrough = () => ({ push: (text: string) => text, flush: () => '' })
console.log(`redaction of ${megabytes} MB in pieces of ${pieceBytes} bytes`)
console.log(`${'input'.padEnd(42)}${'redacted MB/s'.padStart(14)}${'passed on MB/s'.padStart(16)}`)
for (const [title, lines, redactor] of inputs) {
  const once = new TextEncoder().encode(`${lines.join('\n')}\n`)
  const all = new Uint8Array(Math.ceil((megabytes * 1e6) / once.length) * once.length)
  for (let at = 0; at < all.length; at += once.length) all.set(once, at)
  const pieces = Array.from({ length: Math.ceil(all.length / pieceBytes) }, (_, index) => all.subarray(index * pieceBytes, (index + 1) * pieceBytes))
  const redacted = measure(pieces, () => redactor.open('a.log'))
  console.log(`${title.padEnd(42)}${redacted.toFixed(1).padStart(14)}${measure(pieces, passThrough).toFixed(1).padStart(16)}`)
}
