import type { Config } from '../../config.ts'
import type { RawContainer, RawContainerStatus, RawPod, RawSecurityContext } from '../../ports/cluster/cluster.ts'
import { parseCheck } from '../check-request.ts'
import { type CheckRequest, type ConcreteProfile, type Ids, knownChecks, type ReportRef } from '../diagnosis.ts'
import type { Redactor } from '../redact/redactor.ts'
import { parseReport, type Trackers } from './report.ts'

/** An ephemeral container with an image of ours that no service of ours added: somebody typed it. */
export interface Typed {
  readonly name: string
  readonly image: string
  /** Name of the toolset whose image it is; absent: `core`. */
  readonly toolset?: string
  /** The container that it looks into. */
  readonly target?: string
  readonly profile: ConcreteProfile
  readonly ids?: Ids
  /** Command and arguments. */
  readonly words: readonly string[]
  /** When it began, or ended where that is not known; in milliseconds since the epoch. */
  readonly at: number
}

/** What every service of ours calls its containers. */
const ours = /^ad-[0-9a-z]{20}-[12]$/

/**
 * Those of a pod that have begun, whether they have ended or not. An image is ours if it has the name and the tag of a configured one, or,
 * where that is configured by its digest, its name and, by the kubelet's word, its digest.
 */
export function typedContainers(pod: RawPod, diagnosis: Pick<Config['diagnosis'], 'image' | 'toolsets'>): readonly Typed[] {
  const images = [['core', diagnosis.image] as const, ...Object.entries(diagnosis.toolsets).map(([name, { image }]) => [name, image] as const)]
  return (pod.spec.ephemeralContainers ?? []).flatMap((container): Typed[] => {
    const status = pod.status.ephemeralContainerStatuses?.find(({ name }) => name === container.name)
    const at = begun(status)
    if (ours.test(container.name) || at === undefined) return []
    const toolset = images.find(([, image]) => isSame(image, container.image ?? '', status?.imageID))
    if (!toolset) return []
    const { securityContext = {}, targetContainerName, command = [], args = [] } = container
    const ids = idsOf(securityContext)
    return [
      {
        name: container.name,
        image: container.image ?? '',
        ...(toolset[0] === 'core' ? {} : { toolset: toolset[0] }),
        ...(targetContainerName ? { target: targetContainerName } : {}),
        profile: profileOf(container),
        ...(ids ? { ids } : {}),
        words: [...command, ...args],
        at,
      },
    ]
  })
}

function begun(status: RawContainerStatus | undefined): number | undefined {
  const { running, terminated } = status?.state ?? {}
  const at = Date.parse(running?.startedAt ?? terminated?.startedAt ?? terminated?.finishedAt ?? '')
  return (running || terminated) && !Number.isNaN(at) ? at : undefined
}

interface ImageName {
  readonly repository: string
  readonly tag: string
  readonly digest?: string
}

function isSame(configured: string, typed: string, imageId = ''): boolean {
  const [wanted, given] = [nameOf(configured), nameOf(typed)]
  if (wanted.repository !== given.repository) return false
  const running = /sha256:[0-9a-f]{64}/.exec(imageId)?.[0]
  if (wanted.digest !== undefined) return (running ?? given.digest) === wanted.digest && (given.digest ?? wanted.digest) === wanted.digest
  return given.digest === undefined && wanted.tag === given.tag
}

/** Source: https://github.com/distribution/reference */
function nameOf(image: string): ImageName {
  const [name = '', digest] = image.split('@')
  const [, repository = '', tag = 'latest'] = /^(.*?)(?::([^/:]+))?$/.exec(name) ?? []
  return { repository, tag, ...(digest === undefined ? {} : { digest }) }
}

/** The profile of kubectl debug that a container amounts to; what has more than one of them gives, counts as the next that has it all. */
function profileOf({ securityContext = {} }: RawContainer): ConcreteProfile {
  const { privileged, capabilities, runAsNonRoot, allowPrivilegeEscalation } = securityContext as RawSecurityContext & {
    readonly privileged?: boolean
    readonly allowPrivilegeEscalation?: boolean
    readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
  }
  const added = (capabilities?.add ?? []).map((name) => name.replace(/^CAP_/, ''))
  const within = (...names: string[]) => added.every((name) => names.includes(name))
  if (privileged === true || !within('SYS_PTRACE', 'NET_ADMIN', 'NET_RAW')) return 'sysadmin'
  if (added.length > 0) return within('SYS_PTRACE') ? 'general' : within('NET_ADMIN', 'NET_RAW') ? 'netadmin' : 'sysadmin'
  return runAsNonRoot === true && allowPrivilegeEscalation === false && (capabilities?.drop ?? []).includes('ALL') ? 'restricted' : 'baseline'
}

function idsOf({ runAsUser, runAsGroup }: RawSecurityContext): Ids | undefined {
  return runAsUser !== undefined && runAsGroup !== undefined ? { uid: runAsUser, gid: runAsGroup } : undefined
}

export interface TypedRequest {
  readonly checks: readonly CheckRequest[]
  readonly report?: ReportRef
  /** What is wrong with the report that was named, one sentence. */
  readonly problem?: string
}

/**
 * What the words of a container ask for: `--report=tracker:key`, the last one counts, and checks. Other words are those of another program, or the runner's own
 * complaint. Without a check it runs the default set.
 */
export function readWords(
  words: readonly string[],
  around: { readonly extraChecks: readonly string[]; readonly trackers: Trackers; readonly redactor: Pick<Redactor, 'text'> },
): TypedRequest {
  const known = [...knownChecks, ...around.extraChecks]
  const checks = words
    .filter((word) => !word.startsWith('-'))
    .map((word) => parseCheck(word, known))
    .filter((check) => typeof check !== 'string')
    .map(({ name, param }) => (param === undefined ? { name } : { name, param: around.redactor.text('request/check', param).text }))
  const report = words.findLast((word) => word.startsWith('--report='))?.slice('--report='.length)
  if (report === undefined) return { checks }
  const parsed = parseReport(report, around.trackers)
  return typeof parsed === 'string' ? { checks, problem: `Report "${report.slice(0, 100)}": ${parsed}` } : { checks, report: parsed }
}
