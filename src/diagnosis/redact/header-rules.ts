import { hidden } from './redactor.ts'
import { colour, hideSecond, looksRandom, type Rule } from './rule.ts'

/** What stands between a header's name and its value in raw requests, curl commands, JSON at any depth of escaping, Go and Python prints. */
const gap = String.raw`(?:\\{0,7}["'\x60])?(?:${colour}){0,4}\s{0,4}(?:=>|[:=])\s{0,4}(?:${colour}){0,4}(?:\[\s?)?(?:\\{0,7}["'\x60])?`
const token = String.raw`[^\s\u001b"'\x60\\,;<>\[\](){}]+`

const scheme = new RegExp(
  String.raw`(authorization${gap}(?:bearer|basic|token|negotiate|ntlm|apikey|api-key|key|hawk|signature|splunk|genie\w{3})[\s+]{1,4})(${token})`,
  'gi',
)
/** Schemes whose value is a list of parameters. */
const list = new RegExp(
  String.raw`(authorization${gap}(?:digest|aws4-hmac-sha256|oauth|sharedkey\w{0,4}|sharedaccesssignature|acs\d-hmac-sha256)\s{1,4})((?:\\+["']|[^\\\]}\r\n])+)`,
  'gi',
)
const bare = new RegExp(`(authorization${gap})(${token})`, 'gi')
const bearer = /(\bbearer[\s+]{1,4})([\w.~+/-]{16,}={0,2})/gi
const cookie = new RegExp(String.raw`(cookie2?${gap}[^\s=;,"'\\:]{1,128}=)([^\r\n"'\]]+)`, 'gi')
const setCookie = new RegExp(String.raw`(set-cookie2?${gap}[^\s=;,"'\\:]{1,128}=)([^;\s"'\\\]]+)`, 'gi')
const keyed = new RegExp(
  String.raw`((?<![\w])(?:x-[a-z0-9-]{0,40}|private-|api-|apim-|subscription-|job-|deploy-|dd-)(?:key|token|secret|auth|password|passwd)${gap})(${token})`,
  'gi',
)
const words = /^(?:bearer|basic|token|digest|negotiate|ntlm|true|false|null|none|required|missing|invalid|denied|failed|expired)$/i

/** Headers that carry credentials, however they were printed. */
export const headerRules: readonly Rule[] = [
  {
    name: 'authorization',
    hides: 'the credentials in `Authorization` and `Proxy-Authorization`, any scheme, and `Bearer …` alone',
    source: 'https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2',
    example: '> Authorization: Basic bWFkZTp1cC1wYXNzd29yZA==',
    triggers: [String.raw`authorization(?![\w.-])`, 'bearer'],
    apply(line, count) {
      let out = hideSecond(line, scheme, hidden, count)
      out = hideSecond(out, list, hidden, count)
      out = hideSecond(out, bare, hidden, count, (secret) => !words.test(secret) && looksRandom(secret, 8))
      return hideSecond(out, bearer, hidden, count, (secret) => /\d/.test(secret) || looksRandom(secret))
    },
  },
  {
    name: 'cookie',
    hides: 'values in `Cookie` and `Set-Cookie`; the first name and the attributes stay',
    source: 'https://www.rfc-editor.org/rfc/rfc6265#section-4',
    example: 'Set-Cookie: session=made-up-0000; Path=/; HttpOnly',
    triggers: ['cookie'],
    apply: (line, count) => hideSecond(hideSecond(line, setCookie, hidden, count), cookie, hidden, count),
  },
  {
    name: 'api-key-header',
    hides: 'headers such as `X-Api-Key`, `X-Redmine-API-Key`, `Private-Token`, `X-Vault-Token`',
    source: 'https://www.redmine.org/projects/redmine/wiki/Rest_api#Authentication',
    example: 'X-Redmine-API-Key: 00000000madeup00000000madeup000000000000',
    triggers: ['-(?:key|token|secret|auth|passw)'],
    apply: (line, count) => hideSecond(line, keyed, hidden, count, (secret) => !words.test(secret)),
  },
]
