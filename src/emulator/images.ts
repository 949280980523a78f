import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RawContainer, RawPod } from '../ports/cluster/cluster.ts'
import type { Program } from './container.ts'

/** What an image is here: a program of this machine. */
export interface Image {
  /** Absolute command and its first arguments; the container's args follow, as after an ENTRYPOINT. */
  readonly entrypoint: readonly [string, ...string[]]
  /** The file whose SHA-256 is the image's ID. */
  readonly file: string
  /** Added to the arguments where the program must be told what a real container knows by its place. */
  readonly extraArgs?: (start: Start) => readonly string[]
}

export interface Start {
  readonly pod: RawPod
  readonly spec: RawContainer
  /** The process of the container that `targetContainerName` names. */
  readonly targetPid?: number
  /** A folder of the container's own, for what it needs while it runs. */
  readonly directory: string
}

export interface Failure {
  readonly reason: string
  readonly message: string
}

/** The images of this cluster and how their containers are started. */
export class Images {
  readonly #find: (image: string) => Image | undefined
  readonly #path: string

  /** `path` is the PATH of every container. */
  constructor(find: (image: string) => Image | undefined, path: string) {
    this.#find = find
    this.#path = path
  }

  program(start: Start): Program | Failure {
    const { pod, spec } = start
    const image = this.#find(spec.image ?? '')
    if (!image) return absent(spec)
    const security = { ...pod.spec.securityContext, ...spec.securityContext }
    const uid = process.getuid?.()
    if (security.runAsUser === undefined && security.runAsNonRoot && uid === 0) {
      const message = `container has runAsNonRoot and image will run as root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${spec.name})`
      return { reason: 'CreateContainerConfigError', message }
    }
    if (security.runAsUser !== undefined && security.runAsUser !== uid) {
      const message = `the emulator runs every container as uid ${uid} and cannot run one as uid ${security.runAsUser}`
      return { reason: 'CreateContainerError', message }
    }
    const [command, ...rest] = spec.command && spec.command.length > 0 ? spec.command : image.entrypoint
    const env = Object.fromEntries((spec.env ?? []).map(({ name, value }) => [name, value ?? '']))
    return {
      argv: [command ?? '', ...rest, ...(image.extraArgs?.(start) ?? []), ...(spec.args ?? [])],
      env: { PATH: this.#path, HOSTNAME: pod.metadata.name, ...env },
      imageId: `sha256:${createHash('sha256').update(readFileSync(image.file)).digest('hex')}`,
    }
  }
}

const absent = ({ image, imagePullPolicy }: RawContainer): Failure =>
  imagePullPolicy === 'Never'
    ? { reason: 'ErrImageNeverPull', message: `Container image "${image}" is not present with pull policy of Never` }
    : { reason: 'ErrImagePull', message: `failed to pull and unpack image "${image}": the emulator has no such image` }
