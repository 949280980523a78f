import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { PodTree, told } from './diagnostics-pod.ts'
import type { Userland } from './diagnostics-userland.ts'

const isRoot = process.getuid?.() === 0
const emptyDir = '/var/lib/kubelet/pods/8e9b4b45/volumes/kubernetes.io~empty-dir/data'

describe.each<Userland>(['busybox', 'debian'])('the check disk under %s', (userland) => {
  const pod = new PodTree(userland, needs('busybox'))
  beforeEach(() => pod.runAs({}))
  afterAll(() => pod.remove())
  const written = 'file systems of the target that have space and inodes: 3'

  test('finds a volume that belongs to another user', async () => {
    pod.directory('/data')
    pod.mount([{ point: '/data', type: 'ext4', source: emptyDir }])
    const { points } = await pod.check('disk')
    expect(told(points)).toEqual(['warn disk/not-writable/data'])
    expect(points[0]?.name).toContain('the target cannot write to volume /data: permission denied for uid 1000, gid 1000 (the directory belongs to ')
  })

  interface Case {
    readonly mode: number
    readonly options?: string
  }
  test.each<[string, Case, Parameters<PodTree['runAs']>[0]]>([
    ['is open to all', { mode: 0o1777 }, {}],
    ['belongs to one of its groups', { mode: 0o2775 }, { groups: `5 6 7 ${process.getgid?.() ?? 0} 9` }],
    ['belongs to it', { mode: 0o700 }, { uid: process.getuid?.() ?? 0 }],
    ['is root’s, and it may override that', { mode: 0o755 }, { uid: 4, capabilities: '00000000a80425fb' }],
    ['is mounted read-only', { mode: 0o755, options: 'ro,relatime' }, {}],
  ])('is silent of a volume that %s', async (_, { mode, options = 'rw,relatime' }, ids) => {
    chmodSync(pod.directory('/data'), mode)
    pod.runAs(ids)
    pod.mount([{ point: '/data', type: 'ext4', source: emptyDir, options }])
    expect((await pod.check('disk')).points).toMatchObject([{ ok: true }])
  })

  test('is silent of what the node shows to be read, and of a place of its own within', async (context) => {
    if (!isRoot) return context.skip('because only root may give a directory away')
    for (const path of ['/data', '/host', '/bare']) chmodSync(pod.directory(path), 0o755)
    pod.file('/host/passwd', 'x')
    chownSync(pod.directory('/data/shop'), 1000, 1000)
    pod.mount([
      { point: '/data', type: 'xfs' },
      { point: '/host', type: 'ext4', source: '/etc' },
    ])
    expect(told((await pod.check('disk')).points)).toEqual([written])
    pod.mount([{ point: '/bare', type: 'ext4', source: '/srv/shop' }])
    expect(told((await pod.check('disk')).points)).toEqual(['warn disk/not-writable/bare'])
    rmSync(join(pod.root, 'data/shop'), { recursive: true })
  })

  test.each(['ro,errors=remount-ro', 'rw,emergency_ro', 'rw,shutdown'])('finds a file system that the kernel has made read-only: %s', async (own) => {
    chmodSync(pod.directory('/data'), 0o777)
    pod.mount([{ point: '/data', type: 'ext4', source: '/', own }])
    expect(told((await pod.check('disk')).points)).toEqual(['error disk/read-only/data'])
  })

  test('finds a deleted file that is still open and fills the volume', async (context) => {
    if (!isRoot) return context.skip('because only root may mount a file system')
    // The kernel tells paths as our own root has them; of a pod, as the pod's.
    const other = new PodTree(userland, needs('busybox'))
    const data = join(other.proc, 'log')
    mkdirSync(data)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=777', 'none', data])
    const fill = `exec 7>${data}/shop.log; head -c 5000000 /dev/zero >&7; rm ${data}/shop.log; echo ready; exec sleep 60`
    const writer = spawn('sh', ['-c', fill], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      await new Promise((resolve) => writer.stdout.once('data', resolve))
      rmSync(other.root, { recursive: true })
      symlinkSync('/', other.root)
      symlinkSync(`/proc/${writer.pid}/fd`, join(other.proc, '1/fd'))
      other.mount([{ point: data }])
      const { points } = await other.check('disk')
      expect(told(points)).toEqual([`error disk/deleted-open${data}`])
      expect(points[0]?.name).toBe(
        `volume ${data} is full: no space left of 4 MiB, of which 4 MiB in a file that is deleted but still held open by process 1 (shop)`,
      )
    } finally {
      writer.kill('SIGKILL')
      rmSync(other.root, { force: true })
      execFileSync('umount', ['-l', data])
      other.remove()
    }
  })
})
