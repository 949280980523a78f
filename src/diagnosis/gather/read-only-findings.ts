import type { RawContainer, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { evidenceFinding } from './evidence-finding.ts'
import type { Readings } from './readings.ts'
import type { TargetReading } from './target.ts'

const recentLines = 60

interface Mount {
  readonly name: string
  readonly mountPath: string
  readonly readOnly?: boolean
}

/** What the target wants to write and may not, as its log says, and which part of the pod's spec made that place read-only. */
export function readOnlyFindings(pod: RawPod, { container, spec }: TargetReading, { logs }: Readings): readonly Finding[] {
  const { current = '', previous = '' } = logs.get(container ?? '') ?? {}
  const line = `${previous}\n${current}`
    .split('\n')
    .slice(-recentLines)
    .findLast((one) => /read-only file ?system|\bEROFS\b/i.test(one))
  const path = line === undefined ? undefined : pathIn(line)
  const why = path === undefined || !spec ? undefined : whyReadOnly(pod, spec, path)
  if (line === undefined || path === undefined || why === undefined) return []
  const title = `Container ${container} cannot write to ${path}, which is read-only: ${why}`
  return [
    evidenceFinding('read-only', container ?? '', 'error', title, {
      evidence: line,
      cause: 'The pod is made so that nothing can be written there, and the program does write',
      next: 'Mount an emptyDir or another writable volume there, or have the program write elsewhere',
    }),
  ]
}

/** The last absolute path of a line. */
function pathIn(line: string): string | undefined {
  return [...line.matchAll(/(?<![\w:/.])(\/[\w.@+-][\w./@+-]*)/g)].at(-1)?.[1]?.replace(/[.:]+$/, '')
}

function whyReadOnly({ spec: { volumes = [] } }: RawPod, container: RawContainer, path: string): string | undefined {
  const mounts = (container.volumeMounts ?? []) as readonly Mount[]
  const [mount] = mounts
    .filter(({ mountPath }) => `${path}/`.startsWith(`${mountPath.replace(/\/$/, '')}/`))
    .toSorted((a, b) => b.mountPath.length - a.mountPath.length)
  const { readOnlyRootFilesystem } = (container.securityContext ?? {}) as { readonly readOnlyRootFilesystem?: boolean }
  if (!mount) return readOnlyRootFilesystem ? 'the root file system of the container is so by readOnlyRootFilesystem' : undefined
  if (mount.readOnly) return `volume ${mount.name} is mounted so at ${mount.mountPath} (volumeMounts, readOnly)`
  const volume = (volumes as readonly Readonly<Record<string, unknown>>[]).find(({ name }) => name === mount.name) ?? {}
  const [kind] = ['configMap', 'secret', 'projected', 'downwardAPI'].filter((one) => volume[one] !== undefined)
  return kind ? `volume ${mount.name} at ${mount.mountPath} is a ${kind}, which always is` : undefined
}

const config = /config|pars|syntax|ya?ml|json|toml|\bini\b|propert|no such file|permission denied|is a directory|EACCES|ENOENT/i
const files = /(?<![\w:/.])(\/[\w.@+/-]+\.(?:json|ya?ml|properties|ini|conf|cfg|toml|env))(?![\w-])/g
const maxFiles = 2

/** Files of configuration in a volume of the target about which its log, the latest first, speaks in trouble. */
export function troubledFiles(container: RawContainer | undefined, lines: readonly string[]): readonly string[] {
  const mounts = ((container?.volumeMounts ?? []) as readonly Mount[]).map(({ mountPath }) => mountPath.replace(/\/$/, ''))
  const named = lines.toReversed().flatMap((line) => (config.test(line) ? [...line.matchAll(files)].map(([, path = '']) => path) : []))
  const own = named.filter(
    (path) => !/^\/(proc|sys|dev)\/|\/\.\.\//.test(path) && mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)),
  )
  return [...new Set(own)].slice(0, maxFiles)
}
