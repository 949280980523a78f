import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import type { RawContainer, RawContainerStatus, RawPod } from '../../ports/cluster/cluster.ts'
import type { Ids, Refusal } from '../diagnosis.ts'
import type { Gathered, Restarts } from '../gathered.ts'

export interface TargetReading {
  readonly container?: string
  readonly spec?: RawContainer
  readonly status?: RawContainerStatus
  readonly gathered: Omit<Gathered, 'at' | 'headroom' | 'hints' | 'findings'>
  readonly refusal?: Refusal
}

/** The target container, who it runs as as far as the API tells, and why no container can be added beside it. */
export function readTarget(pod: RawPod, asked: string | undefined): TargetReading {
  const { metadata, spec, status } = pod
  const name = asked ?? metadata.annotations?.['kubectl.kubernetes.io/default-container'] ?? spec.containers[0]?.name
  const container = [...spec.containers, ...(spec.initContainers ?? [])].find((one) => one.name === name)
  const own = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])].find((one) => one.name === name)
  const uid = container?.securityContext?.runAsUser ?? spec.securityContext?.runAsUser ?? own?.user?.linux?.uid
  const gid = container?.securityContext?.runAsGroup ?? spec.securityContext?.runAsGroup ?? own?.user?.linux?.gid
  const ids: Ids | undefined = uid !== undefined && gid !== undefined ? { uid, gid } : undefined
  const targetId = own?.containerID?.replace(/^[a-z0-9-]+:\/\//, '')
  const running = own?.state?.running !== undefined
  const refusal = refusalOf(pod) ?? (container || name === undefined ? undefined : notFound(pod, name))
  return {
    ...(container ? { container: container.name, spec: container } : {}),
    ...(own ? { status: own } : {}),
    ...(refusal ? { refusal } : {}),
    gathered: {
      podRef: { namespace: metadata.namespace, name: metadata.name },
      uid: metadata.uid,
      ...(spec.nodeName ? { node: spec.nodeName } : {}),
      ...(container ? { container: container.name } : {}),
      targetRunning: running,
      ...(running && targetId ? { targetId } : {}),
      sharedProcesses: spec.shareProcessNamespace === true || spec.hostPID === true,
      ...(ids ? { ids } : {}),
      ...(uid === undefined ? {} : { knownUid: uid }),
      ...(own?.imageID ? { idsCacheKey: cacheKey(own.imageID, container, pod) } : {}),
      ephemeralCount: spec.ephemeralContainers?.length ?? 0,
      restarts: restartsOf(own),
    },
  }
}

export function restartsOf(status: RawContainerStatus | undefined): Restarts {
  const last = status?.state?.terminated ?? status?.lastState?.terminated
  return {
    count: status?.restartCount ?? 0,
    ...(last?.reason ? { lastReason: last.reason } : {}),
    ...(last ? { lastExitCode: last.exitCode } : {}),
    ...(last?.finishedAt ? { lastFinishedAt: last.finishedAt } : {}),
  }
}

/** An image and a security context fix who its processes run as. */
function cacheKey(imageId: string, container: RawContainer | undefined, pod: RawPod): string {
  const digest = /sha256:[0-9a-f]{64}/.exec(imageId)?.[0] ?? imageId
  const { runAsUser, runAsGroup } = { ...pod.spec.securityContext, ...container?.securityContext }
  return `${digest} ${runAsUser ?? '-'} ${runAsGroup ?? '-'} ${digestOf(JSON.stringify(container?.command ?? null))}`
}

/** A key of the records, and in what crosses a durable step: a command may hold a password, and have a megabyte. */
function digestOf(command: string): string {
  return bytesToHex(sha256(new TextEncoder().encode(command)))
}

function refusalOf(pod: RawPod): Refusal | undefined {
  const { metadata, spec, status } = pod
  if (metadata.deletionTimestamp !== undefined)
    return { code: 'pod-deleted', message: `The pod is being deleted, and is to be gone by ${metadata.deletionTimestamp}` }
  if (status.phase === 'Succeeded' || status.phase === 'Failed') {
    return { code: 'pod-finished', message: `The pod has finished (${status.phase}): the kubelet never starts a container in it` }
  }
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    return {
      code: 'static-pod',
      message: 'The pod is the mirror of a static pod, which takes no ephemeral container: its kubelet reads it from a file',
    }
  }
  const nodeSelector = spec.nodeSelector as Readonly<Record<string, string>> | undefined
  if (spec.os?.name === 'windows' || nodeSelector?.['kubernetes.io/os'] === 'windows')
    return { code: 'windows-pod', message: 'The pod runs Windows, and the diagnostic image is for Linux' }
  if (!spec.nodeName) return { code: 'no-host', message: 'The pod is on no node yet, so no container can run in it' }
  return undefined
}

const maxNamed = 20

function notFound(pod: RawPod, name: string): Refusal {
  const known = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((one) => one.name)
  return {
    code: 'container-not-found',
    message: `The pod has no container "${name}"; it has ${known.slice(0, maxNamed).join(', ')}${known.length > maxNamed ? ` and ${known.length - maxNamed} others` : ''}`,
  }
}
