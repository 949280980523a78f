import { hidden } from './redactor.ts'
import { hideSecond, looksRandom, type Rule } from './rule.ts'
import { secretStems } from './secret-words.ts'

const start = String.raw`\b[a-z][a-z0-9+.-]{0,30}:(?:\\?\/){2}`
/** An image by digest looks like a URL with a user: `docker-pullable://nginx:1.25@sha256:…`. */
const host = '@(?!sha(?:256|384|512):)'
const port = String.raw`(?!\d{1,5}(?:[/?#,;\\"'\s]|$))`
/** The password may hold an `@`; or a `/`, which it should not, but does. */
const withPassword = new RegExp(
  String.raw`(${start}[^\s:@/?#"'<>\[\]\\]{0,256}:)([^\s"'<>/]{1,512}(?=${host})|${port}[^\s"'<>@]{1,512}(?=${host}))`,
  'gi',
)
const userOnly = new RegExp(String.raw`(${start})([^\s:@/?#"'<>\[\]\\]{8,1024})(?=:?[^\s@/"'<>]{0,64}${host})`, 'gi')
/** The same inside a parameter of another URL. */
const encoded = /(%3a%2f%2f[^\s:@/?#"'<>%&]{0,256}%3a)((?:[^\s"'<>%&]|%(?!40|26|2f)[0-9a-f]{2}){1,512})(?=%40)/gi
const protocol = /@(?:tcp6?|unix|udp)\(/g
/** Without a scheme it takes a port to tell it from an address; and what is written so without being a user and a password. */
const bare =
  /((?<![\w.@:/%+-])(?!(?:sips?|mailto|xmpp|acct|urn|tel|from|to|by|for|as|at|on|via|user|peer|node|host|addr|client|server|remote|broker|tcp|udp|ssh|scp|unix|docker|oci|image):)[a-z][\w.-]{0,63}:)([^\s:@/"'\x60<>()[\]{},;\\]{4,128})(?=@(?!sha\d)[a-z0-9][\w.-]{0,253}:\d{2,5}(?![\w.:-]))/gi
const curlUser = /(\bcurl\b[^\n]{0,512}?\s(?:-u|--user|--proxy-user)[ =]?["']?[^\s:"']{0,128}:)([^\s"']+)/gi

const names = [
  `(?:access|auth|id|refresh|session|oauth|private|security|api|personal|user|bearer)?[_-]?token`,
  'sig|signature|x-(?:amz|goog)-(?:signature|credential|security-token)|awsaccesskeyid',
  `(?:x-)?api[_-]?key|app[_-]?key|subscription-key|(?:client[_-]?|app[_-]?)?secret|pass(?:word|wd)?|pwd|jwt|assertion|samlresponse`,
].join('|')
const before = String.raw`(?:[?&;]|&amp;|\\u0026|%26|%3f)`
const value = String.raw`(?:[^&\s"'\x60<>#;,\\)\]}%|]|%(?!26))+`
const named = new RegExp(`(${before}(?:${names})(?:=|%3d))(${value})`, 'gi')
const shy = '(?:key|code|auth|state|ticket|hash|sid|session)'
const maybe = new RegExp(`(${before}${shy}(?:=|%3d))(${value})`, 'gi')
const hook =
  /((?:hooks\.slack\.com\/(?:services|workflows|triggers)|discord(?:app)?\.com\/api\/webhooks|webhook\.office\.com\/webhookb2)\/)([\w/@.-]+)/gi

/** Secrets inside URLs. */
export const urlRules: readonly Rule[] = [
  {
    name: 'url-password',
    hides:
      'the password in `scheme://user:password@host`, a token in place of the user, `user:password@host:port` and `user:password@tcp(host)`, `curl -u user:password`',
    source: 'https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1',
    example: 'connecting to postgres://cart:made-up-0000@db:5432/shop',
    triggers: [host, 'curl', '%3a%2f%2f'],
    apply(line, count) {
      let out = hideSecond(line, withPassword, hidden, count)
      out = hideSecond(out, userOnly, hidden, count, (user) => looksRandom(user))
      out = hideSecond(out, bare, hidden, count)
      out = hideSecond(out, encoded, hidden, count)
      out = hideBefore(out, count)
      return hideSecond(out, curlUser, hidden, count)
    },
  },
  {
    name: 'query-secret',
    hides: 'query parameters such as `token`, `sig`, `X-Amz-Signature`, `api_key`; `key`, `code` and the like where the value looks random',
    source: 'https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html',
    example: 'GET /v1/shop?page=2&access_token=made-up-0000&limit=5 HTTP/1.1',
    triggers: [
      ...secretStems,
      'sig(?:=|%3d)',
      'accesskeyid',
      'assertion',
      'samlresponse',
      `[?&;6f]${shy}(?:=|%3d)`,
      String.raw`hooks\.slack`,
      'api/webhooks',
      'webhookb2',
    ],
    apply(line, count) {
      const out = hideSecond(line, named, hidden, count)
      return hideSecond(
        hideSecond(out, maybe, hidden, count, (secret) => looksRandom(secret, 16)),
        hook,
        hidden,
        count,
      )
    },
  },
]

/** The password in `user:password@tcp(host)`, as Go's MySQL driver writes it, looked for from its end. */
function hideBefore(line: string, count: () => void): string {
  let out = ''
  let done = 0
  for (const match of line.matchAll(protocol)) {
    const pair = /[\w.-]{1,128}:([^\s"'<>]{1,512})$/.exec(line.slice(Math.max(done, match.index - 640), match.index))
    if (pair?.[1] === undefined || pair[1].endsWith(hidden)) continue
    out += line.slice(done, match.index - pair[1].length) + hidden
    done = match.index
    count()
  }
  return out + line.slice(done)
}
