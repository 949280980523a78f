import { checkList } from './check-list.ts'
import type { CheckRequest } from './diagnosis.ts'

const maxParamLength = 512

/** What is wrong with a parameter, beyond what is said of any. */
const complaintsAbout: Readonly<Record<string, (param: string) => string | undefined>> = {
  http: complainAboutUrl,
  dns: complainAboutHost,
  tcp: complainAboutHostPort,
}

/** Reads `name` or `name=param`; a text is what is wrong with it. The parameter is data: all printable characters may be in it. */
export function parseCheck(text: string, known: readonly string[]): CheckRequest | string {
  const equals = text.indexOf('=')
  const name = equals < 0 ? text : text.slice(0, equals)
  if (!known.includes(name)) return `unknown check; known are ${known.join(', ')}`
  // Of a check that an operator's image adds, nothing is known.
  const facts = checkList.find((check) => check.name === name)
  if (equals < 0) return facts?.param === 'required' ? `check ${name} needs a parameter, as in ${facts.example ?? `${name}=…`}` : { name }
  const param = text.slice(equals + 1)
  if (param === '') return 'the parameter is empty; leave out the = or write something behind it'
  if (param.length > maxParamLength) return `a parameter has at most ${maxParamLength} characters, this one has ${param.length}`
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(param)) return 'a parameter has printable characters only; this one has others, such as a line break'
  if (facts?.param === 'none') return `check ${name} takes no parameter; leave out the = and what is behind it`
  return (Object.hasOwn(complaintsAbout, name) ? complaintsAbout[name]?.(param) : undefined) ?? { name, param }
}

function complainAboutUrl(param: string): string | undefined {
  if (/\s/.test(param)) return 'a URL has no spaces; write %20'
  const url = URL.parse(param)
  if (!url || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(param)) return 'expected a URL that begins with http:// or https://'
  // Arguments of a container can be read by all who can read the pod.
  if (url.username !== '' || url.password !== '') return 'a URL to check must not hold a user or password: all who can read the pod would see it'
  return undefined
}

const hostPattern = /^(?=.{1,254}$)[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?)*\.?$/i

function complainAboutHost(param: string): string | undefined {
  return hostPattern.test(param) ? undefined : 'expected the name of a host such as cart.shop.svc'
}

function complainAboutHostPort(param: string): string | undefined {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(param) ?? []
  const isHost = hostPattern.test(host) || (/^\[[0-9a-f:.]+\]$/i.test(host) && URL.canParse(`http://${host}`))
  return isHost && Number(port) >= 1 && Number(port) <= 65_535
    ? undefined
    : 'expected host:port with a port of 1 to 65535, such as cart:8080 or [fd00::1]:8080'
}
