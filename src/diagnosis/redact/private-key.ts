import { hidden } from './redactor.ts'
import { decode, type Rule } from './rule.ts'

const begin = /-{4,5} ?BEGIN [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?(?: ?-{4,5})?/
const end = /-{4,5} ?END [A-Z0-9 ]{0,40}?PRIVATE KEY(?: BLOCK)?(?: ?-{4,5})?/
const otherBegin = /-{4,5} ?BEGIN /
/** A line of a key, whatever a logger put before it. Headers of RFC 1421 and OpenPGP count too. */
const body = /[A-Za-z0-9+/]{24}|^\s*(?:Proc-Type|DEK-Info|Version|Comment|Hash|Charset|Subject|x-[\w-]+): |^\s*$/
/** The first line of a key in DER, OpenSSH's or OpenPGP's form that is wrapped narrowly. It tells how long the others are. */
const narrow = /(?:^|[\s"'|])((?:M[A-I]|b3Bl|l[QHI]|xc|xY|xV)[A-Za-z0-9+/]{5,21})(?:\\n)?["',+\s]*$/
/** What a line ends with, if that may be a narrow line of a key. */
const ending = /(?:^|[\s"'|])([A-Za-z0-9+/]{7,23})(?:\\n)?["',+\s]*$/
/** What may be a key's last, shorter line. */
const tail = /(?:^|[\s"'|])(?:[A-Za-z0-9+/]{4}){0,12}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4}|=[A-Za-z0-9+/]{4})(?:\\n)?["',+\s]*$/

/** Characters of one key after which it is given up: nothing with so many is a key. */
const longestKey = 65_536
const givenUp = `***HIDDEN: a private key without an end within ${longestKey} characters was dropped***`
/** Lines in a row that are not of a key, after which it is taken to have been cut off, or only mentioned. */
const patience = 4

/** PEM and OpenPGP private keys over several lines; certificates and public keys stay. */
export class PrivateKeys {
  #inside = false
  #dropped = 0
  #others = 0
  /** Characters of a line of the key, if it is wrapped narrowly. */
  #width = 0

  get idle(): boolean {
    return !this.#inside
  }

  /** The line without the key in it, or nothing if all of it belongs to a key. */
  line(line: string, count: () => void): string | undefined {
    let rest = line
    let out = ''
    if (this.#inside) {
      const from = this.#skip(rest)
      if (from === undefined) return this.#inside ? undefined : givenUp
      if (from > 0 && rest.slice(from).trim() === '') return undefined
      rest = rest.slice(from)
    }
    for (let match = begin.exec(rest); match; match = begin.exec(rest)) {
      count()
      out += rest.slice(0, match.index) + hidden
      rest = rest.slice(match.index + match[0].length)
      const last = end.exec(rest)
      if (last) {
        rest = rest.slice(last.index + last[0].length)
        continue
      }
      this.#inside = true
      this.#dropped = this.#others = this.#width = 0
      if (body.test(rest)) rest = /\r?$/.exec(rest)?.[0] ?? ''
      break
    }
    return out + rest
  }

  /** Inside a key: where the line goes on after it, 0 if it is another line, nothing if all of it is key. */
  #skip(line: string): number | undefined {
    const last = end.exec(line)
    if (last) {
      this.#inside = false
      return last.index + last[0].length
    }
    if (otherBegin.test(line)) {
      this.#inside = false
      return 0
    }
    this.#dropped += line.length + 1
    if (this.#dropped > longestKey) {
      this.#inside = false
      return undefined
    }
    if (this.#width === 0) this.#width = narrow.exec(line.slice(-200))?.[1]?.length ?? 0
    if (body.test(line) || (this.#width > 0 && ending.exec(line.slice(-200))?.[1]?.length === this.#width)) {
      this.#others = 0
      return undefined
    }
    this.#others++
    if (this.#others >= patience) this.#inside = false
    return this.#others === 1 && this.#dropped > line.length + 1 && tail.test(line.slice(-200)) ? undefined : 0
  }
}

/** Hides what came before the end of a key whose beginning is not in the text, as in the tail of a log. */
export function hideHeadlessKey(text: string, count: () => void): string {
  const last = end.exec(text)
  if (!last) return text
  const first = begin.exec(text)
  if (first && first.index < last.index) return text
  let from = text.lastIndexOf('\n', last.index) + 1
  for (let lines = 0; from > 0; lines++) {
    const start = text.lastIndexOf('\n', from - 2) + 1
    const line = text.slice(start, from - 1)
    if (line.trim() === '' || !(body.test(line) || (lines === 0 && tail.test(line.slice(-200))))) break
    from = start
  }
  count()
  return text.slice(0, from) + hidden + text.slice(last.index + last[0].length)
}

/** Base64 of PEM, as in a Secret or a kubeconfig; a certificate begins alike, so it is looked into. */
const encoded = /LS0tLS1CRUdJTi[A-Za-z0-9+/]{16,}={0,2}/g

export const privateKeyRule: Rule = {
  name: 'private-key',
  hides: 'PEM and OpenPGP private keys over several lines, in JSON strings, and in base64; certificates and public keys stay',
  source: 'https://www.rfc-editor.org/rfc/rfc7468#section-10',
  example: String.raw`"private_key": "-----BEGIN PRIVATE KEY-----\nMadeUp0SecretMadeUp0SecretMadeUp0Secret\n-----END PRIVATE KEY-----\n"`,
  triggers: ['PRIVATE KEY', 'LS0tLS1CRUdJTi'],
  apply: (line, count) =>
    line.replace(encoded, (secret) => {
      if (!decode(secret.slice(0, 128)).includes('PRIVATE KEY')) return secret
      count()
      return hidden
    }),
}
