import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { filesStore } from '../../src/ports/store/files.ts'
import { StoreUnavailable } from '../../src/ports/store/store.ts'
import { storeContract } from './store.ts'

const temporary = () => mkdtemp(join(tmpdir(), 'autodiagnose-store-'))
const script = fileURLToPath(new URL('./store-process.ts', import.meta.url))

storeContract('files', async () => {
  const directory = await temporary()
  return {
    store: filesStore({ directory: join(directory, 'made', 'here') }),
    leftovers: () => readdir(join(directory, 'made', 'here', 'partial')),
    dispose: () => rm(directory, { recursive: true }),
  }
})

describe('filesStore()', () => {
  let directory: string
  beforeEach(async () => {
    directory = await temporary()
  })
  afterEach(() => rm(directory, { recursive: true }))

  test('has no download URL', async () => {
    const store = filesStore({ directory })
    await store.create('a', new Uint8Array(1))
    expect(await store.downloadUrl('a', { filename: 'a', expiresSeconds: 60 })).toBeUndefined()
  })

  test('keeps objects over a restart', async () => {
    await filesStore({ directory }).create('x/a', new Uint8Array([1, 2]))
    const store = filesStore({ directory })
    expect(await store.head('x/a')).toEqual({ bytes: 2 })
    expect(await store.create('x/a', new Uint8Array(1))).toBe('exists')
  })

  test('shows nothing of a stream whose process was killed, and cleans up at the next start', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', script, JSON.stringify({ directory }), String(2 ** 33)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await expect.poll(() => readdir(join(directory, 'partial')).catch(() => []), { timeout: 15_000 }).toHaveLength(1)
    await expect.poll(() => readdir(join(directory, 'objects'))).toEqual(['warm'])
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
    const store = filesStore({ directory })
    expect(await readdir(join(directory, 'partial'))).toEqual([])
    expect(await store.head('streamed')).toBeUndefined()
  })

  test('streams 200 MB in bounded memory', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, JSON.stringify({ directory }), '200000000'])
    const { created, riseMiB } = JSON.parse(stdout.split('\n').at(-2) ?? '')
    expect(created).toBe('created')
    expect(riseMiB).toBeLessThan(100)
    expect(await filesStore({ directory }).head('streamed')).toEqual({ bytes: 200_000_000 })
  })

  test('says which directory cannot be written to, as something that may pass', async () => {
    const store = filesStore({ directory })
    await rm(join(directory, 'partial'), { recursive: true })
    await writeFile(join(directory, 'partial'), 'in the way')
    await expect(store.check()).rejects.toThrow(`Cannot write to "${directory}"`)
    await rm(join(directory, 'partial'))
    await expect(store.create('a', new Uint8Array(1))).rejects.toBeInstanceOf(StoreUnavailable)
    await expect(store.check()).rejects.toBeInstanceOf(StoreUnavailable)
  })

  test('refuses a key that goes on after an object', async () => {
    const store = filesStore({ directory })
    await store.create('a', new Uint8Array(1))
    for (const key of ['a/b', 'a/b/c']) {
      const refusal = expect.objectContaining({ name: 'Error', message: expect.stringContaining(`Cannot create "${key}"`) })
      await expect(store.create(key, new Uint8Array(1))).rejects.toEqual(refusal)
    }
  })

  test('keeps objects from other users of the machine', async () => {
    await chmod(directory, 0o755)
    await filesStore({ directory }).create('x/a', new Uint8Array(1))
    const { stdout } = await promisify(execFile)('find', [directory, '-mindepth', '1', '-perm', '/077'])
    expect(stdout).toBe('')
  })
})
