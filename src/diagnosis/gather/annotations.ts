import type { Config } from '../../config.ts'
import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Bounds } from '../bounds.ts'
import { parseCheck } from '../check-request.ts'
import {
  type CheckRequest,
  type DiagnosisRequest,
  defaultChecks,
  type Finding,
  knownChecks,
  type Profile,
  profiles,
  type Refusal,
} from '../diagnosis.ts'
import { type Chosen, checksVolumeName } from '../gathered.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { checkForUrl } from './hints.ts'
import { mayBeAsked } from './may-be-asked.ts'

/** What the application's owners say by annotations of the pod. Bad ones are told and change nothing. */
export interface Annotations {
  /** In their order, without those that run anyway. */
  readonly checks: readonly CheckRequest[]
  readonly chosen: Chosen
  /** The owners want nothing injected. */
  readonly refusal?: Refusal
  readonly findings: readonly Finding[]
}

const prefix = 'autodiagnose.dev/'
const known = ['checks', 'toolset', 'profile', 'opt-out']
const maxChecks = 16
const maxTold = 10

/**
 * `autodiagnose.dev/checks`: checks as in a request, between blanks or commas. `autodiagnose.dev/toolset` and `/profile`: what is used where the
 * request names none. `bounds` takes out what policy does not allow. `autodiagnose.dev/opt-out`: anything but `false` keeps containers out, an
 * empty value and a misspelt one included.
 */
export function readAnnotations(
  pod: RawPod,
  request: Pick<DiagnosisRequest, 'profile' | 'toolset'>,
  { diagnosis }: Pick<Config, 'diagnosis'>,
  bounds: Bounds,
): Annotations {
  const annotations = pod.metadata.annotations ?? {}
  const declared = declaredChecks(annotations[`${prefix}checks`] ?? '', [...knownChecks, ...diagnosis.extraChecks], bounds)
  const choice = choose(annotations, request, diagnosis.toolsets, bounds)
  const others = Object.keys(annotations)
    .filter((name) => name.startsWith(prefix) && !known.includes(name.slice(prefix.length)))
    .map((name) => unused(name.slice(prefix.length), annotations[name] ?? '', `there are ${known.map((one) => `${prefix}${one}`).join(', ')}`))
  const findings = [...declared.findings, ...choice.findings, ...others]
  if (findings.length > maxTold) {
    const title = `The annotations ${prefix}… of the pod have ${findings.length - maxTold} other entries that are not used`
    findings.splice(
      maxTold,
      Number.POSITIVE_INFINITY,
      evidenceFinding('annotations', 'others', 'info', title, { cause: unusedCause, next: `See ${prefix}… in docs/api.md` }),
    )
  }
  const read = { checks: declared.checks, chosen: choice.chosen, findings }
  const optOut = annotations[`${prefix}opt-out`]
  if (optOut === undefined || optOut.trim() === 'false') return read
  const message = `The pod's annotation ${prefix}opt-out says "${optOut.slice(0, 100)}": its owners want no container in it; they remove the annotation to allow one`
  return { ...read, refusal: { code: 'policy', message } }
}

/** The pod declares a ConfigMap of checks: docs/contract.md. */
export function hasChecksVolume({ spec }: RawPod): boolean {
  const volumes = (spec.volumes ?? []) as readonly { readonly name?: string; readonly configMap?: object }[]
  return volumes.some(({ name, configMap }) => name === checksVolumeName && configMap !== undefined)
}

function declaredChecks(text: string, names: readonly string[], bounds: Bounds): Pick<Annotations, 'checks' | 'findings'> {
  const findings: Finding[] = []
  const checks: CheckRequest[] = []
  for (const entry of text.split(/[\s,]+/).filter(Boolean)) {
    const check = readCheck(entry, names)
    if (typeof check === 'string') findings.push(unused('checks', entry, check))
    else if (check.param === undefined && defaultChecks.includes(check.name)) continue
    else {
      const why = bounds.check(check) ?? (checks.length === maxChecks ? `leave some out: ${maxChecks} are read` : undefined)
      if (why === undefined) checks.push(check)
      else findings.push(unused('checks', entry, why))
    }
  }
  return { checks, findings }
}

/** A request that names its own comes first, and `auto` is no name of one. */
function choose(
  annotations: Readonly<Record<string, string>>,
  request: Pick<DiagnosisRequest, 'profile' | 'toolset'>,
  toolsets: Config['diagnosis']['toolsets'],
  bounds: Bounds,
): Pick<Annotations, 'chosen' | 'findings'> {
  const [toolset, profile] = [annotations[`${prefix}toolset`]?.trim(), annotations[`${prefix}profile`]?.trim()]
  const findings: Finding[] = []
  let chosen: Chosen = {}
  const profileWith = (name: string | undefined): Profile =>
    request.profile !== 'auto' ? request.profile : (chosen.profile ?? (name === undefined ? undefined : toolsets[name]?.profile) ?? 'auto')
  if (profile !== undefined && request.profile === 'auto') {
    const why = isProfile(profile) ? bounds.use(request.toolset ?? 'core', profile) : `profiles are ${profiles.join(', ')}`
    if (why === undefined && isProfile(profile)) chosen = { profile }
    else findings.push(unused('profile', profile, why ?? ''))
  }
  if (toolset !== undefined && request.toolset === undefined) {
    const names = ['core', ...Object.keys(toolsets)]
    const why = names.includes(toolset) ? bounds.use(toolset, profileWith(toolset)) : `toolsets are ${names.join(', ')}`
    if (why === undefined) chosen = { ...chosen, toolset }
    else findings.push(unused('toolset', toolset, why))
  }
  return { chosen, findings }
}

function isProfile(text: string): text is Profile {
  return (profiles as readonly string[]).includes(text)
}

/** As in a request; and only what may be asked from inside the pod. A text is what to do about an entry that is wrong. */
function readCheck(entry: string, names: readonly string[]): CheckRequest | string {
  const check = parseCheck(entry, names)
  if (typeof check === 'string') return check.startsWith('unknown check') ? 'docs/checks.md has the names of the checks' : check
  const { name, param = '' } = check
  if (name === 'http') return checkForUrl(param) ?? 'expected a URL that may be asked, as in http=http://host:8080/'
  if ((name === 'tcp' || name === 'dns') && !mayBeAsked(param.replace(/:\d+$/, ''))) return 'expected a host that may be asked'
  return check
}

const unusedCause = 'What an annotation asks for is not known, or not allowed'

function unused(annotation: string, value: string, why: string): Finding {
  const title = `The annotation ${prefix}${annotation} of the pod has what is not used: "${value}"`
  return evidenceFinding('annotations', annotation, 'info', title, { cause: unusedCause, next: why })
}
