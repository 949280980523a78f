import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { unpackTar } from 'modern-tar'
import { z } from 'zod'

/** An image as `docker save`, `podman save --format oci-archive` and `lab save` write it. */
export interface ImageArchive {
  /** Digests of the layers as a registry has them, or, where they are stored unpacked, of what is in them. */
  readonly layers: readonly string[]
  /** Digest of the image's configuration: the same means the same image. */
  readonly config: string
  readonly user: string
  readonly entrypoint: readonly string[]
  /** What a node pulls: the layers, compressed. */
  readonly packedBytes: number
  /** What its files take. */
  readonly unpackedBytes: number
  /** The files by their path from the root, without the slash; a later layer hides an earlier one. */
  readonly files: ReadonlyMap<string, Uint8Array>
}

const descriptor = z.object({ digest: z.string().startsWith('sha256:') })
const indexSchema = z.object({ manifests: z.array(descriptor).min(1) })
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) })
const savedSchema = z.tuple([z.object({ Config: z.string(), Layers: z.array(z.string()) })])
const configSchema = z.object({ config: z.object({ User: z.string().default(''), Entrypoint: z.array(z.string()).nullish() }) })

/** Reads an OCI archive or a docker archive of one image, and throws where it is neither. */
export async function readImageArchive(path: string): Promise<ImageArchive> {
  const parts = new Map((await entriesOf(await readFile(path))).map(({ name, data }) => [name, data]))
  const part = (name: string): Uint8Array => {
    const data = parts.get(name)
    if (data === undefined) throw new Error(`Cannot read image archive "${path}": it has no ${name}`)
    return data
  }
  const json = (name: string): unknown => JSON.parse(Buffer.from(part(name)).toString('utf8'))
  const names = parts.has('index.json') ? ociNames(json) : savedNames(json)
  const layers = names.layers.map(part)
  const files = new Map<string, Uint8Array>()
  for (const layer of layers) for (const { name, data, isFile } of await entriesOf(unpacked(layer))) if (isFile) files.set(name, data)
  const { config } = configSchema.parse(json(names.config))
  return {
    layers: layers.map(digestOf),
    config: digestOf(part(names.config)),
    user: config.User,
    entrypoint: config.Entrypoint ?? [],
    packedBytes: sum(layers.map((layer) => (isGzip(layer) ? layer : gzipSync(layer)).length)),
    unpackedBytes: sum([...files.values()].map(({ length }) => length)),
    files,
  }
}

interface Names {
  readonly config: string
  readonly layers: readonly string[]
}

function ociNames(json: (name: string) => unknown): Names {
  const blob = ({ digest }: z.infer<typeof descriptor>): string => `blobs/sha256/${digest.slice('sha256:'.length)}`
  const [first] = indexSchema.parse(json('index.json')).manifests
  const manifest = manifestSchema.parse(first && json(blob(first)))
  return { config: blob(manifest.config), layers: manifest.layers.map(blob) }
}

function savedNames(json: (name: string) => unknown): Names {
  const [{ Config, Layers }] = savedSchema.parse(json('manifest.json'))
  return { config: Config, layers: Layers }
}

async function entriesOf(tar: Uint8Array): Promise<{ readonly name: string; readonly data: Uint8Array; readonly isFile: boolean }[]> {
  return (await unpackTar(tar)).map(({ header, data }) => ({
    name: header.name.replace(/^\.?\//, ''),
    data: data ?? new Uint8Array(),
    isFile: (header.type ?? 'file') === 'file',
  }))
}

const isGzip = (data: Uint8Array): boolean => data[0] === 0x1f && data[1] === 0x8b
const unpacked = (layer: Uint8Array): Uint8Array => (isGzip(layer) ? gunzipSync(layer) : layer)
const digestOf = (data: Uint8Array): string => `sha256:${createHash('sha256').update(data).digest('hex')}`
const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0)
