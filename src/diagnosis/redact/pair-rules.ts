import { hidden } from './redactor.ts'
import { colour, decode, type Rule } from './rule.ts'
import { type Value, valueAt } from './secret-value.ts'
import { isSecret, namesSecret, secretStems, secretWord } from './secret-words.ts'
import { valuesInList, valuesInObject } from './values-within.ts'

/** Loggers colour keys, and values. */
const colours = `(?:${colour}){0,4}`
/** The last word of a key, its closing quote, and what stands between it and the value. The rest of the key is looked up from here. */
const pair = new RegExp(
  String.raw`${secretWord}(?<close>\\{0,15}["'\x60])?[\])]?${colours}(?<sep>\s{0,16}(?:=>|:=|=(?!=|~\s)|:(?![:/=])|%3d)\s{0,16})(?:${colour}\s{0,4}){0,4}(?=\S)`,
  'gi',
)
const everyColour = new RegExp(colour, 'gi')
const colourEnd = new RegExp(`${colour}([\\w.-]*)$`, 'i')
const flag = new RegExp(String.raw`${secretWord}(?:\\{0,15}["']\s{0,4},\s{0,8}|\s{1,8})(?=[^\s-])`, 'gi')
const xml = new RegExp(String.raw`(${secretWord}(?:\s[^<>]{0,256})?>)([^<>]+)(?=<\/)`, 'gi')
const named =
  /(?:name|\bkey)(?:\\{0,15}["'])?\s{0,4}[:=]\s{0,4}(?:\\{0,15}["'])?(?<key>[\w.-]{1,128})(?:\\{0,15}["'])?\s{0,4},?\s{0,8}(?:\\{0,15}["'])?value(?:\\{0,15}["'])?\s{0,4}[:=]\s{0,4}(?=\S)/gi
const sql = /\b(?:identified\s+by|password)\s+(?=['"][^'"\s])/gi
const dockerAuth = /((?<![\w-])auth\\{0,15}["']\s{0,4}:\s{0,4}\\{0,15}["'])([A-Za-z0-9+/]{8,}={0,2})/gi

/** `object`: the value inside the object that stands there. */
type Form = 'word' | 'phrase' | 'object' | 'keep'

/** Hides the values that follow what `pattern` matches, where `formOf` says so; `name` is their key, if not what stands in the line. */
function hideValues(
  line: string,
  pattern: RegExp,
  count: () => void,
  formOf: (key: string, match: RegExpExecArray, start: number) => Form,
  name?: string,
): string {
  let out = ''
  let done = 0
  pattern.lastIndex = 0
  for (let match = pattern.exec(line); match; match = pattern.exec(line)) {
    const start = keyStart(line, match.index)
    const key = name ?? match.groups?.key ?? (/^[\w.-]{1,128}/.exec(line.slice(start, start + 128)) ?? ['password'])[0]
    const form = formOf(key, match, start)
    for (const { from, to, quoted } of form === 'keep' ? [] : valuesAt(line, pattern.lastIndex, form)) {
      pattern.lastIndex = Math.max(to, pattern.lastIndex)
      if (from < done || !isSecret(key, line.slice(from, to), quoted)) continue
      out += line.slice(done, from) + hidden
      done = to
      count()
    }
  }
  return done === 0 ? line : out + line.slice(done)
}

/** An object is no value, nor is a list of them: those inside are found by their own keys. */
function valuesAt(line: string, at: number, form: Exclude<Form, 'keep'>): readonly Value[] {
  const isObject = /^\{\s*(?:["'{[\\}\]]|[\w.-]{1,32}:\s|$)/.test(line.slice(at, at + 64))
  if (form === 'object') return isObject ? valuesInObject(line, at) : []
  if (isObject) return []
  return /^\[\s*(?:["'{[\\}\]]|$)/.test(line.slice(at, at + 16)) ? valuesInList(line, at) : [valueAt(line, at, form)]
}

/** Where the key begins whose last word stands at `index`. */
function keyStart(line: string, index: number): number {
  let start = index
  while (start > 0 && index - start < 64 && /[\w.-]/.test(line[start - 1] as string)) start--
  const colourBefore = /[[;]/.test(line[start - 1] ?? '') && colourEnd.exec(line.slice(Math.max(0, start - 32), index))
  return colourBefore ? index - (colourBefore[1] ?? '').length : start
}

/** `token: signature is invalid` in the middle of a line is a sentence; `password: correct horse` at its start is YAML. */
function pairForm(line: string, key: string, match: RegExpExecArray, start: number): Form {
  const { sep = '', close } = match.groups ?? {}
  if (!namesSecret(key) || /unexpected\s$/i.test(line.slice(Math.max(0, start - 12), start))) return 'keep'
  if (!sep.includes(':') || close !== undefined) return 'word'
  if (start <= 256 && /^[\s-]*$/.test(line.slice(0, start).replace(everyColour, ''))) return 'phrase'
  const from = match.index + match[0].length
  return /\s$/.test(sep) && /\s/.test(line[start - 1] ?? '') && /^[A-Za-z]+:?\s+(?![\w.-]+[=:])\S/.test(line.slice(from, from + 80)) ? 'keep' : 'word'
}

/** Values that stand beside a name which says that they are secret. */
export const pairRules: readonly Rule[] = [
  {
    name: 'password-pair',
    hides:
      'the value beside a key that ends in password, passwd, passphrase, pwd, secret, token, api_key, access_key, private_key … in logs, JSON at any depth, YAML, XML, connection strings and command lines',
    source: 'https://cwe.mitre.org/data/definitions/532.html',
    example: 'msg="cannot log in" user=cart password="made up 0000" host=db',
    triggers: secretStems,
    apply(line, count) {
      let out = hideValues(line, pair, count, (key, match, start) => pairForm(line, key, match, start))
      if (/[:=>]\s{0,16}\{/.test(out)) out = hideValues(out, pair, count, (key) => (namesSecret(key) ? 'object' : 'keep'))
      const flags = out
      out = hideValues(out, flag, count, (key, _, start) =>
        key.startsWith('-') && /[\s"'[,]/.test(flags[start - 1] ?? ' ') && namesSecret(key) ? 'word' : 'keep',
      )
      out = hideValues(out, named, count, (key) => (namesSecret(key) ? 'word' : 'keep'))
      return out.replace(xml, (whole: string, kept: string, secret: string, at: number) => {
        const start = keyStart(out, at)
        const key = /^[\w.-]+/.exec(out.slice(start, at + kept.length))?.[0] ?? ''
        if (!/[<:]/.test(out[start - 1] ?? '') || !namesSecret(key) || !isSecret(key, secret.trim(), true)) return whole
        count()
        return kept + hidden
      })
    },
  },
  {
    name: 'sql-password',
    hides: "passwords in SQL: `IDENTIFIED BY '…'`, `PASSWORD '…'`",
    source: 'https://www.postgresql.org/docs/current/sql-createrole.html',
    example: "ALTER ROLE cart WITH PASSWORD 'made-up-0000'",
    triggers: [String.raw`identified\s+by`, 'passw'],
    apply: (line, count) => hideValues(line, sql, count, () => 'word', 'password'),
  },
  {
    name: 'registry-auth',
    hides: 'user and password of an image registry in a Docker configuration',
    source: 'https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/',
    example: '{"auths":{"registry.example":{"auth":"YXBwbGVzOm1hZGUtdXAtMDAwMA=="}}}',
    triggers: ['auth["\\\\\']'],
    apply(line, count) {
      return line.replace(dockerAuth, (whole: string, kept: string, secret: string) => {
        if (!decode(secret).includes(':')) return whole
        count()
        return kept + hidden
      })
    },
  },
]
