import type { Config } from '../../config.ts'
import type { Raw } from '../../ports/cluster/cluster.ts'
import type { CheckRequest, ConcreteProfile, Ids } from '../diagnosis.ts'
import { checksVolumeName } from '../gathered.ts'

export interface ContainerPlan {
  readonly name: string
  readonly profile: ConcreteProfile
  /** User and group to run as; absent: those of the image. */
  readonly ids?: Ids
  /** Container whose processes to see; absent: none, because it is not running. */
  readonly target?: string
  /** Its id, where the pod shares one process namespace and PID 1 is not the target. */
  readonly targetId?: string
  /** Absolute, in seconds since the epoch: a container that the kubelet starts later than that does nothing. */
  readonly expires: number
  readonly checks: readonly CheckRequest[]
  readonly image: string
  /** What the pod has left below its memory limit, in bytes; absent: not limited, or not known. */
  readonly freeBytes?: number
  /** Mount the ConfigMap of checks that the pod's owners declare. */
  readonly mountChecks: boolean
}

/** Where the runner looks for the checks of that volume. */
const checksPath = '/checks.d'

/**
 * The whole ephemeral container, computed once and persisted before it is sent. No command, no env, no volume but that one: the admission
 * policy of infra/kubernetes allows this form and no other. Nothing in it may be secret: whoever may get the pod reads it.
 */
export function containerSpec(plan: ContainerPlan, config: Pick<Config, 'diagnosis'>, outputBytes: number): Raw {
  const { diagnosis } = config
  return {
    name: plan.name,
    image: plan.image,
    imagePullPolicy: diagnosis.imagePullPolicy,
    args: [
      `--diagnosis=${plan.name}`,
      `--expires=${plan.expires}`,
      `--deadline=${diagnosis.deadlineSeconds}`,
      `--output-bytes=${outputBytes}`,
      ...(plan.freeBytes === undefined ? [] : [`--memory=${Math.max(0, Math.floor(plan.freeBytes))}`]),
      ...(plan.target === undefined ? ['--no-target'] : plan.targetId === undefined ? [] : [`--target-id=${plan.targetId}`]),
      ...plan.checks.map(({ name, param }) => (param === undefined ? name : `${name}=${param}`)),
    ],
    securityContext: securityContext(plan.profile, plan.ids),
    ...(plan.mountChecks ? { volumeMounts: [{ name: checksVolumeName, mountPath: checksPath, readOnly: true }] } : {}),
    ...(plan.target === undefined ? {} : { targetContainerName: plan.target }),
  }
}

/** kubectl debug's profiles, and a read-only root: the runner writes nothing. */
function securityContext(profile: ConcreteProfile, ids?: Ids): Raw {
  const who = ids ? { runAsUser: ids.uid, runAsGroup: ids.gid } : {}
  switch (profile) {
    case 'restricted':
      return {
        ...who,
        runAsNonRoot: true,
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        seccompProfile: { type: 'RuntimeDefault' },
      }
    case 'baseline':
      return { ...who, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false }
    case 'general':
      return { ...who, readOnlyRootFilesystem: true, capabilities: { add: ['SYS_PTRACE'] } }
    case 'netadmin':
      return { ...who, readOnlyRootFilesystem: true, capabilities: { add: ['NET_ADMIN', 'NET_RAW'] } }
    case 'sysadmin':
      return { ...who, readOnlyRootFilesystem: true, privileged: true }
  }
}
