/** What the layers of kubelet, containerd and runc put around what went wrong. */
const wrapping =
  /(?:^|(?<=: ))(?:Error: |rpc error: code = \w+ desc = |failed to (?:create|start) (?:containerd |shim )?task: |failed to create shim: |OCI runtime (?:create|exec) failed: |runc create failed: |container_linux\.go:\d+: |starting container process caused: |unable to start container process: |exec failed: |failed to exec in container: |failed to start exec "[0-9a-f]{64}": |error during container init: |failed to (?:create|generate) (?:containerd )?container: |failed to generate container "[0-9a-f]{64}" spec: |failed to generate spec: )+/g

/** The words of a runtime without what wraps them, ids and the final "unknown". */
export function plainWords(message: string): string {
  return (
    message
      .replace(/\s+/g, ' ')
      .replaceAll(wrapping, '')
      .replace(/ \(pod: "[^"]*", container: [^)]*\)/, '')
      .replace(/(: unknown)+$/, '')
      // Where node and runtime keep the pod's files.
      .replaceAll(/\/[^\s":]*\/(?:pods\/[0-9a-f-]{36}|io\.containerd[^\s":/]*\/[^\s":/]+)\/[^\s":]*/g, '…')
      .replaceAll(/"?[0-9a-f]{64}"?/g, '…')
      .trim()
  )
}

interface Cause {
  readonly cause: string
  readonly next: string
}

const startCauses: readonly (readonly [RegExp, string, string])[] = [
  [
    /exec format error/i,
    'The program is made for another CPU architecture, or is a script without a #! line',
    'Compare the platform of the image with the node',
  ],
  [/OOM-killed|memory limit too low/i, 'The memory limit leaves no room for the container to begin', 'Raise the memory limit'],
  [
    /executable file not found|exec: "[^"]*": (?:stat|no such)|stat [^:]+: no such file/i,
    'The image has no such program, or not there',
    "Compare the container's command with what the image holds",
  ],
  [
    /chdir to cwd|working ?dir|mkdir [^:]*: (?:read-only|not a directory|permission)/i,
    'The working directory cannot be entered by the user of the container',
    'Compare workingDir with the image and runAsUser',
  ],
  [
    /exec: "[^"]*": permission denied|permission denied/i,
    'The program may not be executed by the user of the container',
    'Look at its mode and owner in the image, and at runAsUser',
  ],
  [
    /unable to find (?:user|group)|no matching entries in/i,
    'The image does not know the user that it is to run as',
    'Name the user by number in runAsUser',
  ],
  [/no command specified/i, 'Neither image nor pod names a program to run', "Set the container's command"],
  [
    /not a directory|error mounting|mount through procfd/i,
    'A volume cannot be put where the container wants it: a file over a directory or the other way round',
    'Compare volumeMounts and subPath with what the image has there',
  ],
  [
    /runAsNonRoot and image will run as root|run as root/i,
    'The image names no user but root, and runAsNonRoot forbids that',
    'Set runAsUser, or build the image with a USER',
  ],
  [
    /breaks non-root policy/i,
    'runAsUser is 0, which is root, and runAsNonRoot forbids that',
    'Set runAsUser to another user, or runAsNonRoot to false',
  ],
  [/non-numeric user/i, 'runAsNonRoot cannot be verified, for the image names its user by a word', 'Set runAsUser to its number'],
  [/seccomp|apparmor/i, 'The node does not have the profile of seccomp or AppArmor', 'Install the profile on the node, or name another'],
  [/is reserved for|context deadline exceeded/i, 'The runtime of the node does not answer in time', 'Look at load and disk of the node'],
]

/** Why a container could not be created or started, by what the runtime says. */
export function startCause(message: string): Cause | undefined {
  const [, cause, next] = startCauses.find(([pattern]) => pattern.test(message)) ?? []
  return cause === undefined || next === undefined ? undefined : { cause, next }
}
