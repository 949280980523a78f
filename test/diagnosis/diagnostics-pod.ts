import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Diagnostics, type Point, proveEnd, type Userland } from './diagnostics-userland.ts'

/** A line of mountinfo: where it is mounted, and what. */
export interface Mount {
  readonly point: string
  readonly type?: string
  /** What of its file system is mounted there; `/` by default. */
  readonly source?: string
  /** Options of the mount; `rw,relatime` by default. */
  readonly options?: string
  /** Options of its file system; `rw` by default. */
  readonly own?: string
}

/** The tree of /proc of a pod with one process, which began at 2026-11-27 12:00:00 UTC and runs as user and group 1000. */
export class PodTree {
  readonly proc = mkdtempSync(join(tmpdir(), 'pod-'))
  readonly root = join(this.proc, '1/root')
  readonly #pod: Diagnostics

  constructor(userland: Userland, busybox: string) {
    this.#pod = new Diagnostics(userland, busybox)
    mkdirSync(this.root, { recursive: true })
    // An hour after the boot.
    writeFileSync(join(this.proc, 'stat'), `cpu 1 2 3\nbtime ${Date.UTC(2026, 10, 27, 11) / 1000}\n`)
    writeFileSync(join(this.proc, '1/stat'), `1 (shop) S 0 1 1 0 -1 4194560 1 1 1 1 1 1 1 1 20 0 1 0 360000 1 1\n`)
    writeFileSync(join(this.proc, '1/cgroup'), '0::/shop\n')
    writeFileSync(join(this.proc, '1/comm'), 'shop\n')
    writeFileSync(join(this.proc, '1/environ'), 'KUBERNETES_SERVICE_HOST=192.0.2.7\0PASSWORD=made-up-secret\0')
    this.runAs({})
    this.mount([])
  }

  /** Whom the target runs as; capabilities as the kernel writes them. */
  runAs({ uid = 1000, gid = 1000, groups = '', capabilities = '0000000000000000' }): void {
    const ids = (id: number): string => `${id}\t${id}\t${id}\t${id}`
    const lines = ['Name:\tshop', 'State:\tS (sleeping)', `Uid:\t${ids(uid)}`, `Gid:\t${ids(gid)}`, 'FDSize:\t64', `Groups:\t${groups}`]
    writeFileSync(join(this.proc, '1/status'), `${[...lines, `CapEff:\t${capabilities}`].join('\n')}\n`)
  }

  /** A file system each, beside the root. */
  mount(mounts: readonly Mount[]): void {
    const lines = [{ point: '/', type: 'overlay' } as Mount, ...mounts].map(
      ({ point, type = 'tmpfs', source = '/', options = 'rw,relatime', own = 'rw' }, at) =>
        `${at + 20} 1 0:${at + 40} ${source} ${point} ${options} - ${type} none ${own}\n`,
    )
    writeFileSync(join(this.proc, '1/mountinfo'), lines.join(''))
  }

  directory(path: string, mode = 0o755): string {
    mkdirSync(join(this.root, path), { recursive: true, mode })
    return join(this.root, path)
  }

  file(path: string, content: string | Uint8Array, mode = 0o644): string {
    this.directory(join(path, '..'))
    writeFileSync(join(this.root, path), content, { mode })
    return join(this.root, path)
  }

  async check(...checks: readonly string[]): Promise<{ readonly points: readonly Point[]; readonly text: string }> {
    const { text, points, stderr } = await this.#pod.run(`--proc=${this.proc}`, ...checks)
    proveEnd(text)
    if (stderr !== '' || /^# \| /m.test(text)) throw new Error(`Cannot take this for a report: ${stderr}${text}`)
    return { points, text }
  }

  remove(): void {
    this.#pod.remove()
    rmSync(this.proc, { recursive: true })
  }
}

/** Of each finding its id and severity; of what passed or was skipped, the title. */
export function told(points: readonly Point[]): readonly string[] {
  return points.map(({ ok, name, diag }) => (ok ? name : `${diag?.severity} ${diag?.id}`))
}
