import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DeleteObjectsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3'
import { onTestFinished } from 'vitest'
import { labVariable } from './environment.ts'

const run = promisify(execFile)

function client(): S3Client {
  return new S3Client({
    endpoint: labVariable('LAB_S3_ENDPOINT'),
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: labVariable('LAB_S3_ACCESS_KEY'), secretAccessKey: labVariable('LAB_S3_SECRET_KEY') },
  })
}

/** The keys that S3 itself lists below a prefix. */
export async function listObjects(prefix: string): Promise<readonly string[]> {
  const s3 = client()
  try {
    const { Contents = [], IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket: labVariable('LAB_S3_BUCKET'), Prefix: prefix }))
    if (IsTruncated) throw new Error(`more than 1000 objects below "${prefix}"`)
    return Contents.map(({ Key = '' }) => Key)
  } finally {
    s3.destroy()
  }
}

export async function deleteObjects(prefix: string): Promise<void> {
  const keys = await listObjects(prefix)
  if (keys.length === 0) return
  const s3 = client()
  await s3.send(new DeleteObjectsCommand({ Bucket: labVariable('LAB_S3_BUCKET'), Delete: { Objects: keys.map((Key) => ({ Key })) } }))
  s3.destroy()
}

export interface Bundle {
  /** The one directory at its top. */
  readonly top: string
  /** Paths below the top, sorted. */
  readonly paths: readonly string[]
  text(path: string): string
  json(path: string): unknown
  /** All texts, to look for what must be nowhere. */
  readonly all: string
}

/** Opens a bundle with tar, and checks its checksums with sha256sum, as whoever downloads it does. */
export async function openBundle(archive: ArrayBuffer): Promise<Bundle> {
  const directory = await mkdtemp(join(tmpdir(), 'autodiagnose-bundle-'))
  onTestFinished(() => rm(directory, { recursive: true, force: true }))
  await writeFile(join(directory, 'bundle.tar.gz'), new Uint8Array(archive))
  await run('tar', ['-xzf', 'bundle.tar.gz'], { cwd: directory })
  await rm(join(directory, 'bundle.tar.gz'))
  const [top = '', ...others] = await readdir(directory)
  if (others.length > 0) throw new Error(`the bundle has more than one directory at its top: ${top}, ${others}`)
  const inside = join(directory, top)
  await run('sha256sum', ['--check', '--strict', 'autodiagnose/SHA256SUMS'], { cwd: inside })
  const entries = await readdir(inside, { recursive: true, withFileTypes: true })
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(inside.length + 1))
    .sort()
  const texts = new Map(await Promise.all(paths.map(async (path) => [path, await readFile(join(inside, path), 'utf8')] as const)))
  const sums = new Set((texts.get('autodiagnose/SHA256SUMS') ?? '').split('\n').map((line) => line.slice(66)))
  const unsummed = paths.filter((path) => path !== 'autodiagnose/SHA256SUMS' && !sums.has(path))
  if (unsummed.length > 0) throw new Error(`the bundle has files without a checksum: ${unsummed}`)
  const text = (path: string): string => {
    const found = texts.get(path)
    if (found === undefined) throw new Error(`the bundle has no ${path}; it has ${paths.join(', ')}`)
    return found
  }
  return { top, paths, text, json: (path) => JSON.parse(text(path)), all: [...texts.values()].join('\n') }
}
