import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { needs } from '../needs.ts'
import { PodTree, told } from './diagnostics-pod.ts'
import type { Userland } from './diagnostics-userland.ts'

interface Done {
  readonly reads?: number
  readonly readMs?: number
  readonly writes?: number
  readonly writeMs?: number
  readonly flying?: number
  readonly busyMs?: number
}

/** A line of /proc/diskstats: https://www.kernel.org/doc/html/latest/admin-guide/iostats.html */
const disk = ({ reads = 0, readMs = 0, writes = 0, writeMs = 0, flying = 0, busyMs = 0 }: Done): string =>
  ` 254 0 vda ${9000 + reads} 5 800 ${700 + readMs} ${6000 + writes} 4 300 ${200 + writeMs} ${flying} ${100 + busyMs} 50 0 0 0 0 11 12\n`

describe.each<Userland>(['busybox', 'debian'])('the check disk-latency under %s', (userland) => {
  const pod = new PodTree(userland, needs('busybox'))
  afterAll(() => pod.remove())
  const diskstats = join(pod.proc, 'diskstats')

  /** What the check says of a disk that has done so much while it looked for two seconds. */
  async function look(done: Done, state = 'S') {
    rmSync(join(pod.proc, '1/task'), { recursive: true, force: true })
    mkdirSync(join(pod.proc, '1/task/1'), { recursive: true })
    writeFileSync(join(pod.proc, '1/task/1/stat'), `1 (shop) ${state} 0 1 1\n`)
    writeFileSync(join(pod.proc, '1/mountinfo'), '20 1 0:40 / / rw - overlay none rw\n21 20 254:0 /lib/pods/data /data rw - ext4 /dev/vda rw\n')
    writeFileSync(diskstats, disk({ ...(done.flying ? { flying: done.flying } : {}) }))
    utimesSync(diskstats, 0, new Date())
    const running = pod.check('disk-latency=2')
    // The numbers change when the first look has read them; where the file system keeps no times of access, a little later.
    await vi.waitFor(() => expect(statSync(diskstats).atimeMs).toBeGreaterThan(0), { timeout: 1200, interval: 10 }).catch(() => undefined)
    writeFileSync(`${diskstats}.new`, disk(done))
    renameSync(`${diskstats}.new`, diskstats)
    return running
  }

  test.each<[string, Done, readonly string[]]>([
    ['quick writes', { writes: 200, writeMs: 900 }, ['disks answer in time, and the target does not wait for them']],
    ['slow writes', { writes: 5, writeMs: 1000 }, ['warn disk-latency/slow-writes/data']],
    [
      'very slow writes and slow reads',
      { writes: 4, writeMs: 3000, reads: 3, readMs: 400 },
      ['error disk-latency/slow-writes/data', 'warn disk-latency/slow-reads/data'],
    ],
    ['too few to measure', { writes: 2, writeMs: 1500 }, ['disks answer in time, and the target does not wait for them']],
    ['nothing but waiting', { flying: 7, busyMs: 2000 }, ['error disk-latency/stalled/data']],
  ])('tells of %s', async (_, done, findings) => {
    expect(told((await look(done)).points)).toEqual(findings)
  })

  test('names the process whose threads wait', async () => {
    const { points } = await look({}, 'D')
    expect(points[0]).toMatchObject({ ok: false, diag: { id: 'disk-latency/waits', severity: 'warn' } })
    expect(points[0]?.name).toContain('process 1 (shop) at 10 of 10 looks (state D)')
  })

  test('takes 1 to 8 seconds as its parameter, nothing else', async () => {
    expect((await pod.check('disk-latency=9')).points).toMatchObject([{ ok: true, skip: expect.stringContaining('1 to 8') }])
  })
})
