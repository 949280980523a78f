import type { Raw, RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { SpecDifference } from '../comparison.ts'

const maxTold = 30
const maxValue = 300
/** Younger by so much is worth telling. */
const ageMs = 3_600_000

/** What others than the application's owners write: of every pod another. */
const ownAnnotation = /^(kubernetes\.io\/|.*\.kubernetes\.io\/|cni\.|k8s\.(v1\.)?cni\.|k8s\.ovn\.org\/|openshift\.io\/|autodiagnose\.dev\/)/
const ownLabel =
  /^(statefulset\.kubernetes\.io\/pod-name|apps\.kubernetes\.io\/pod-index|(batch\.kubernetes\.io\/)?(controller-uid|job-completion-index))$/
/** Labels that name the revision. */
const revision = ['pod-template-hash', 'rollouts-pod-template-hash', 'controller-revision-hash']

/**
 * What two pods of one workload were told to be, where that differs, the most telling first: revision, images and digests, configuration, resources, the
 * node. Of environment variables their names alone. Both pods as the bundle shows them, redacted.
 */
export function compareSpecs(target: RawPod, twin: RawPod): readonly SpecDifference[] {
  const both: [string, string | undefined, string | undefined][] = []
  const add = (what: string, read: (pod: RawPod) => string | undefined): void => void both.push([what, read(target), read(twin)])

  for (const label of revision) add(`revision (label ${label})`, ({ metadata }) => metadata.labels?.[label])
  for (const name of namesOf(target, twin)) addContainer(name, add)
  for (const key of keysOf(target.metadata.labels, twin.metadata.labels))
    if (!ownLabel.test(key) && !revision.includes(key)) add(`label ${key}`, ({ metadata }) => metadata.labels?.[key])
  for (const key of keysOf(target.metadata.annotations, twin.metadata.annotations))
    if (!ownAnnotation.test(key)) add(`annotation ${key}`, ({ metadata }) => metadata.annotations?.[key])
  add('volumes', ({ spec }) => list(((spec.volumes ?? []) as readonly Raw[]).flatMap(volumeText)))
  add('service account', ({ spec }) => text(spec.serviceAccountName))
  add('priority class', ({ spec }) => text(spec.priorityClassName))
  add('security context of the pod', ({ spec }) => text(spec.securityContext))
  add('node', ({ spec }) => spec.nodeName)
  add('class of service', ({ status }) => text(status.qosClass))
  return [...both.flatMap(differing), ...ages(target, twin)].slice(0, maxTold)
}

type Add = (what: string, read: (pod: RawPod) => string | undefined) => void

function addContainer(name: string, add: Add): void {
  const of = (pod: RawPod): RawContainer | undefined => [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].find((one) => one.name === name)
  const status = ({ status: { containerStatuses = [], initContainerStatuses = [] } }: RawPod) =>
    [...containerStatuses, ...initContainerStatuses].find((one) => one.name === name)
  add(`image of container ${name}`, (pod) => of(pod)?.image)
  add(`image digest of container ${name}`, (pod) => /sha256:[0-9a-f]{64}/.exec(status(pod)?.imageID ?? '')?.[0])
  add(`command of container ${name}`, (pod) => text([...(of(pod)?.command ?? []), ...(of(pod)?.args ?? [])]))
  add(`environment of container ${name}`, (pod) => list(environment(of(pod))))
  add(`resources of container ${name}`, (pod) => resources(of(pod)))
  add(`security context of container ${name}`, (pod) => text(of(pod)?.securityContext))
  add(`restarts of container ${name}`, (pod) => text(status(pod)?.restartCount))
}

function namesOf(...pods: readonly RawPod[]): readonly string[] {
  return [...new Set(pods.flatMap(({ spec }) => [...spec.containers, ...(spec.initContainers ?? [])].map(({ name }) => name)))]
}

const keysOf = (...maps: readonly (Readonly<Record<string, string>> | undefined)[]): readonly string[] => [
  ...new Set(maps.flatMap((map) => Object.keys(map ?? {}))),
]

/** Names of variables, with the ConfigMap or Secret that one is from. */
function environment(container: RawContainer | undefined): readonly string[] {
  const variables = (container?.env ?? []) as readonly (Raw & { readonly name: string; readonly valueFrom?: unknown })[]
  const sources = (container?.envFrom ?? []) as readonly unknown[]
  return [
    ...variables.map(({ name, valueFrom }) => (valueFrom ? `${name} from ${JSON.stringify(valueFrom)}` : name)),
    ...sources.map((one) => JSON.stringify(one)),
  ]
}

function resources(container: RawContainer | undefined): string | undefined {
  const part = (kind: 'requests' | 'limits') =>
    Object.entries(container?.resources?.[kind] ?? {})
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${kind} ${name}=${value}`)
  return [...part('requests'), ...part('limits')].join(', ') || undefined
}

/** The token that every pod has is left out: its name is made by chance. */
function volumeText({ name, ...source }: Raw): readonly string[] {
  return /^kube-api-access-/.test(String(name)) ? [] : [`${String(name)} ${JSON.stringify(source)}`]
}

const list = (items: readonly string[]): string | undefined => items.toSorted().join(', ') || undefined

function text(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  const string = typeof value === 'string' ? value : JSON.stringify(value)
  return string === '[]' || string === '{}' ? undefined : string
}

function differing([what, target, twin]: readonly [string, string | undefined, string | undefined]): SpecDifference[] {
  return target === twin ? [] : [{ what, ...told(target, twin) }]
}

/** Of two lists, what each has alone. */
function told(target: string | undefined, twin: string | undefined): { readonly target: string; readonly twin: string } {
  const [left, right] = [target?.split(', ') ?? [], twin?.split(', ') ?? []]
  const isList = left.length > 1 || right.length > 1
  const alone = (items: readonly string[], others: readonly string[]) => items.filter((item) => !others.includes(item)).join(', ') || undefined
  return isList ? { target: cut(alone(left, right)), twin: cut(alone(right, left)) } : { target: cut(target), twin: cut(twin) }
}

function cut(value = 'none'): string {
  return value.length > maxValue ? `${value.slice(0, maxValue - 1)}…` : value
}

/** When the pods were made, where that is far apart. */
function ages(target: RawPod, twin: RawPod): readonly SpecDifference[] {
  const [a, b] = [target, twin].map(({ metadata }) => String(metadata.creationTimestamp ?? '')) as [string, string]
  return Math.abs(Date.parse(a) - Date.parse(b)) >= ageMs ? [{ what: 'made at', target: a, twin: b }] : []
}
