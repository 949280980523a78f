import type { RawPod } from '../../ports/cluster/cluster.ts'
import { type CheckRequest, defaultChecks, type Finding, knownChecks, type Refusal } from '../diagnosis.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { checkForUrl } from './hints.ts'
import { mayBeAsked } from './may-be-asked.ts'

/** What the application's owners say by annotations of the pod. Bad ones are told and change nothing. */
export interface Annotations {
  /** In their order, without those that run anyway. */
  readonly checks: readonly CheckRequest[]
  /** The owners want nothing injected. */
  readonly refusal?: Refusal
  readonly findings: readonly Finding[]
}

/** Why a check that the owners declare may not run, or undefined. */
export type Complain = (check: CheckRequest) => string | undefined

const prefix = 'autodiagnose.dev/'
const maxChecks = 16
const maxTold = 10

/**
 * `autodiagnose.dev/checks`: checks as in a request, between blanks or commas, of which `complain` takes out what policy does not
 * allow. `autodiagnose.dev/opt-out`: anything but `false` keeps containers out, an empty value and a misspelt one included.
 */
export function readAnnotations(pod: RawPod, extraChecks: readonly string[], complain: Complain): Annotations {
  const annotations = pod.metadata.annotations ?? {}
  const findings: Finding[] = []
  const checks: CheckRequest[] = []
  const known = [...knownChecks, ...extraChecks]
  for (const entry of (annotations[`${prefix}checks`] ?? '').split(/[\s,]+/).filter(Boolean)) {
    const check = parseCheck(entry, known)
    if (typeof check === 'string') findings.push(unused('checks', entry, check))
    else if (check.param === undefined && defaultChecks.includes(check.name)) continue
    else {
      const why = complain(check) ?? (checks.length === maxChecks ? `leave some out: ${maxChecks} are read` : undefined)
      if (why === undefined) checks.push(check)
      else findings.push(unused('checks', entry, why))
    }
  }
  for (const name of Object.keys(annotations))
    if (name.startsWith(prefix) && !['checks', 'opt-out'].includes(name.slice(prefix.length)))
      findings.push(unused(name.slice(prefix.length), annotations[name] ?? '', `there are ${prefix}checks and ${prefix}opt-out`))
  if (findings.length > maxTold) {
    const title = `The annotations ${prefix}… of the pod have ${findings.length - maxTold} other entries that are not used`
    findings.splice(maxTold, Number.POSITIVE_INFINITY, evidenceFinding('annotations', 'others', 'info', title))
  }
  const optOut = annotations[`${prefix}opt-out`]
  if (optOut === undefined || optOut.trim() === 'false') return { checks, findings }
  const message = `The pod's annotation ${prefix}opt-out says "${optOut.slice(0, 100)}": its owners want no container in it; they remove the annotation to allow one`
  return { checks, findings, refusal: { code: 'policy', message } }
}

/** A text is what to do about an entry that is wrong. */
function parseCheck(entry: string, known: readonly string[]): CheckRequest | string {
  const equals = entry.indexOf('=')
  const name = equals < 0 ? entry : entry.slice(0, equals)
  const param = equals < 0 ? undefined : entry.slice(equals + 1)
  if (!known.includes(name)) return `known checks are ${known.join(', ')}`
  if (name === 'http') return checkForUrl(param ?? '') ?? 'expected a URL that may be asked, as in http=http://host:8080/'
  if (name === 'tcp' && !/^(\[[0-9a-f:.]+\]|[a-z0-9_.-]+):\d{1,5}$/i.test(param ?? '')) return 'expected host and port, as in tcp=host:8080'
  if (name === 'dns' && !/^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$/i.test(param ?? '')) return 'expected the name of a host, as in dns=host'
  if ((name === 'tcp' || name === 'dns') && !mayBeAsked((param ?? '').replace(/:\d+$/, ''))) return 'expected a host that may be asked'
  if (param === undefined) return { name }
  return /^[!-~]{1,255}$/.test(param) ? { name, param } : 'a parameter has 1 to 255 printable characters'
}

function unused(annotation: string, value: string, why: string): Finding {
  const title = `The annotation ${prefix}${annotation} of the pod has what is not used: "${value}"`
  return evidenceFinding('annotations', annotation, 'info', title, { next: why })
}
