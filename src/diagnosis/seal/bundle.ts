import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex } from '@noble/hashes/utils.js'
import { createTarPacker } from 'modern-tar'
import type { Store } from '../../ports/store/store.ts'
import { twinOf } from '../comparison.ts'
import { containersOf, type Diagnosis } from '../diagnosis.ts'
import type { EvidenceFile } from '../gathered.ts'
import { artifactPath, logPath, type SegmentHeader } from '../segment.ts'
import { bundleFiles, bundleName } from './bundle-files.ts'
import { readContainer } from './read-container.ts'

/** A file of the bundle whose bytes are in segments. */
interface LogFile {
  path: string
  /** Under which the store has the segments. */
  readonly part: string
  readonly container: string
  /** Absent: the log's text. */
  readonly artifact?: number
  size: number
  readonly hash: ReturnType<typeof sha256.create>
}

export interface SealedBundle {
  readonly key: string
  readonly filename: string
  readonly bytes: number
}

/**
 * Streams evidence, log and artifacts into one tar.gz of Troubleshoot's layout, in bounded memory: sizes and checksums are
 * taken in a first pass over the segments. Re-runnable: order and times are fixed, and the first complete one wins.
 */
export async function sealBundle(
  diagnosis: Diagnosis,
  evidence: readonly EvidenceFile[],
  store: Pick<Store, 'get' | 'head' | 'createFromStream'>,
  signal: AbortSignal,
): Promise<SealedBundle> {
  const name = bundleName(diagnosis.createdAt)
  const filename = `${name}.tar.gz`
  const key = `diagnoses/${diagnosis.id}/${filename}`
  const there = await store.head(key, { signal })
  if (there) return { key, filename, bytes: there.bytes }

  const logs = await measure(diagnosis, store, signal)
  const texts = bundleFiles(diagnosis, evidence).map(({ path, text }) => ({ path, bytes: new TextEncoder().encode(text) }))
  const sums = [
    ...texts.map(({ path, bytes }) => `${bytesToHex(sha256(bytes))}  ${path}`),
    ...logs.map(({ path, hash }) => `${bytesToHex(hash.clone().digest())}  ${path}`),
  ]
  texts.push({ path: 'autodiagnose/SHA256SUMS', bytes: new TextEncoder().encode(`${sums.join('\n')}\n`) })

  const { readable, controller } = createTarPacker()
  const mtime = new Date(diagnosis.createdAt)
  const pack = async (): Promise<void> => {
    for (const { path, bytes } of texts) {
      const entry = controller.add({ name: `${name}/${path}`, size: bytes.length, type: 'file', mode: 0o644, mtime }).getWriter()
      if (bytes.length > 0) await entry.write(bytes)
      await entry.close()
    }
    for (const file of logs) {
      const entry = controller.add({ name: `${name}/${file.path}`, size: file.size, type: 'file', mode: 0o644, mtime }).getWriter()
      for await (const { header, body } of readContainer(store, file.part, file.container, signal)) {
        if (header.artifact?.index === file.artifact && body.length > 0) await entry.write(body)
      }
      await entry.close()
    }
    controller.finalize()
  }
  const packed = pack().catch((error: unknown) => {
    controller.error(error)
    throw error
  })
  // Whoever finds the bundle there reads no further, and packing fails for want of a reader.
  packed.catch(() => undefined)
  const created = await store.createFromStream(key, readable.pipeThrough(gzip()), { contentType: 'application/gzip', signal })
  if (created === 'created') await packed
  const stored = await store.head(key, { signal })
  if (!stored) throw new Error(`Cannot find bundle "${key}" that was ${created === 'created' ? 'written' : 'there'}`)
  return { key, filename, bytes: stored.bytes }
}

function gzip(): ReadableWritablePair<Uint8Array, Uint8Array> {
  // The standard types its bytes as BufferSource, streams of ours are of Uint8Array.
  return new CompressionStream('gzip') as unknown as ReadableWritablePair<Uint8Array, Uint8Array>
}

async function measure(diagnosis: Diagnosis, store: Pick<Store, 'get'>, signal: AbortSignal): Promise<readonly LogFile[]> {
  const files = new Map<string, LogFile>()
  for (const { part, pod } of partsOf(diagnosis)) {
    for (const container of containersOf(diagnosis)) {
      for await (const { header, body } of readContainer(store, part, container, signal)) {
        const { artifact } = header
        const path = pathOf(diagnosis, pod, container, artifact)
        // Not by path: what an artifact is may not be known in its first chunk.
        const key = `${part} ${container} ${artifact?.index ?? 'log'}`
        let file = files.get(key)
        if (!file) {
          file = { path, part, container, size: 0, hash: sha256.create(), ...(artifact ? { artifact: artifact.index } : {}) }
          files.set(key, file)
        }
        if (artifact?.binary) file.path = path
        file.size += body.length
        file.hash.update(body)
      }
    }
  }
  // Log first, artifacts behind it; each container's together, the target's before the replica's.
  const order = (file: LogFile) => `${file.part} ${file.container}`
  return [...files.values()].toSorted((a, b) => (order(a) === order(b) ? (a.artifact ?? 0) - (b.artifact ?? 0) : order(a) < order(b) ? -1 : 1))
}

/** Where the logs are, and of which pods. */
function partsOf({ id, pod, compare, comparison }: Diagnosis): readonly { readonly part: string; readonly pod: string }[] {
  const target = { part: id, pod: pod?.name ?? 'pod' }
  return compare ? [target, { part: twinOf(id), pod: comparison?.twin?.name ?? 'healthy-replica' }] : [target]
}

function pathOf(diagnosis: Diagnosis, pod: string, container: string, artifact: SegmentHeader['artifact']): string {
  const path = logPath(diagnosis.target.namespace, pod, container)
  return artifact ? artifactPath(path, artifact) + (artifact.binary ? '.not-redacted' : '') : path
}
