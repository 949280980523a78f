import { hidden } from './redactor.ts'

/** Where no letter stands before, but perhaps the end of a colour's code. */
const apart = String.raw`(?:(?<![a-z])|(?<=\[[\d;]{0,16}m))`

/**
 * What the last word of a key tells. `dbPassword`, `DB_PASSWORD` and `db.password` name secrets; `passwords`, `secretName`,
 * `tokenExpirationSeconds` and `password-file` go on after the word and do not.
 */
const passwords = `passw(?:or)?d|passphrase|pass_phrase|pwd|${apart}pass(?![a-z])|(?<=db|my|sql|pg|user|root|admin|ftp|smtp|redis)pass(?![a-z])`
const keys = [
  '(?:api|app|access|secret|private|encryption|encrypt|signing|master|account|storage|auth|admin|root|service|session|hmac|jwt|ssh|license|shared[_-]?access|subscription|webhook|bot|consumer)[_.-]?(?:secret[_.-]?)?key(?:[_-]base)?',
  'sharedaccesssignature|sas[_-]?url',
].join('|')
const tokens = `token|secret|credentials?|${apart}bearer|${apart}jwt`

/** Source of a regular expression for the last word of a key that names a secret; to be used with the flag `i`. */
export const secretWord = String.raw`(?:${passwords}|${keys}|${tokens})(?:[_-]?hash|[_-]?value|[_-]?b64)?\d{0,2}`

/** Cheap: one of these hits in every line with a secret word. */
export const secretStems = [
  'passw',
  'pass_?phrase',
  'pass(?![a-z])',
  'pwd',
  'secret(?![a-z])',
  'token(?![a-z])',
  '[a-z_.?&;6-]key(?![a-z])',
  'signature',
  'sas[_-]?url',
  'credentials?(?![a-z-])',
  'bearer',
  'jwt',
]

const wholeKey = new RegExp(`(?:${secretWord})$`, 'i')
const passwordKey = new RegExp(`(?:${passwords})\\d{0,2}$`, 'i')
/** Keys that end like a secret and are none: cursors, counters, kinds of token. */
const harmless =
  /(?:next|page|continue|continuation|nextpage|sync|max|min|total|prompt|completion|input|output|automountserviceaccount|unexpected|num|per)[_-]?token$|(?:public|primary|foreign|partition)[_-]?(?:access[_-]?)?key$/i
const header = /^(?:proxy-)?authorization$|^(?:set-)?cookie2?$|^(?:x-[a-z-]{0,40}|api-|private-)(?:key|token|secret|auth)$/i

/** Whether a key, an environment variable's name or a header's name says that its value is a secret. */
export function namesSecret(key: string): boolean {
  const name = key.trim()
  return name.length <= 256 && ((wholeKey.test(name) && !harmless.test(name)) || header.test(name))
}

/** Whether the name is one of a password, rather than of a token or key: even digits alone are a secret then. */
function namesPassword(key: string): boolean {
  return passwordKey.test(key)
}

const literals =
  /^(?:true|false|null|nil|none|undefined|yes|no|on|off|unset|empty|redacted|masked|hidden|omitted|string|str|bytes|int|bool|object|any|n\/a)$/i
/** References, placeholders and masks: `${DB_PASSWORD}`, `<set to the key …>`, `{{ .Values.x }}`, `%s`, `****`, `[REDACTED]`. */
const placeholder =
  /^(?:\$\{[^}]{0,256}\}?|\$\([^)]{0,256}\)?|<[a-z][^<>]{0,256}>?|\{\{.{0,256}|%[svqdxw]|[|>][-+\d]{0,2}|([*•.\-_=~])\1*|[xX]{3,}|\[?(?:redacted|masked|hidden|filtered)\]?|\*+[A-Z]+\*+)$/i
const variable = /^\$[A-Z_][A-Z0-9_]*$/
/** How a sentence about a secret goes on: `token: expired`, `secret: not found`, `password: must be set`. */
const sentence =
  /^(?:invalid|expired|missing|required|incorrect|wrong|denied|unauthori[sz]ed|unauthenticated|forbidden|fail(?:ed|ure)?|error|errors|not|is|was|has|must|should|cannot|can't|could|unknown|unexpected|unable|mismatch|mismatched|rejected|revoked|malformed|disabled|enabled|bad|too|contains|rpc|context|open|read|dial|get|post|put|patch|head|delete|the|a|an|for|from|in|at|secrets?|tokens?|pods?|user|signature|square\/go-jose|crypto|x509|lookup|exceeded|optional|default|ok|okay|found|set|provided|present|absent|ignored|skipped|accepted|valid|verified|created|updated|deleted|rotated|refreshed|file|env|stdin|prompt|opaque|successfully|done)$/i
const path = /^\/(?:var|etc|run|home|root|tmp|opt|mnt|secrets?|app|usr|srv|data|config|proc|dev)\/[\w./-]*$/

/** The same for passwords, which may be any words: only what can hardly begin one. */
const verb = /^(?:invalid|expired|missing|required|incorrect|wrong|not|is|was|has|must|should|cannot|does|did|mismatch|rejected)$/i

/** Whether the value of a key that names a secret is one; `quoted` values are less often prose. */
export function isSecret(key: string, value: string, quoted: boolean): boolean {
  if (value.startsWith(hidden) && /^(?:\\+[nrt]|\s)*$/.test(value.slice(hidden.length))) return false
  if (!/[\p{L}\p{N}\p{S}\p{P}]/u.test(value) || literals.test(value) || placeholder.test(value) || variable.test(value)) return false
  const [word = '', ...more] = value
    .slice(0, 256)
    .split(/[,.;:!]*\s+|[,.;:!]+$/)
    .filter((part) => part !== '')
  if (namesPassword(key)) return !(/pwd$/i.test(key) && value.startsWith('/')) && (quoted || !(more.length > 0 ? verb : sentence).test(word))
  if (!/[\p{L}\p{N}]/u.test(value) || /^-?\d{1,6}(?:\.\d{1,6})?(?:ms|s|m|h|%)?$/.test(value) || path.test(value)) return false
  return quoted || !sentence.test(word)
}
