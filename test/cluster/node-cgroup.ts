import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The cgroup of a pod on this machine, which is the lab's node; of v1 that of the controller, of v2 the one there is. */
export function cgroupOf(controller: 'memory' | 'pids' | 'cpuacct', uid: string): string {
  const [process] = globSync([
    `/sys/fs/cgroup/${controller}/kubepods*/**/*${uid}*/**/cgroup.procs`,
    `/sys/fs/cgroup/kubepods*/**/*${uid.replaceAll('-', '_')}*/**/cgroup.procs`,
    `/sys/fs/cgroup/kubepods*/**/*${uid}*/**/cgroup.procs`,
  ])
  if (process === undefined) throw new Error(`Cannot find the cgroup of pod ${uid}`)
  const own = dirname(process)
  return own.includes(uid) && dirname(own).endsWith(uid) ? dirname(own) : own
}

/** Leaves the pod room for so many processes and threads more. */
export function limitProcesses(uid: string, room: number): void {
  const group = cgroupOf('pids', uid)
  const now = Number(readFileSync(`${group}/pids.current`, 'utf8'))
  writeFileSync(`${group}/pids.max`, String(now + room))
}

/** Seconds on a processor that containers of the pod have taken so far, those of the container `without` (its id) aside. */
export function cpuSeconds(uid: string, without: string): number {
  const pod = cgroupOf('cpuacct', uid)
  const [own] = globSync(`${pod}/*${without}*`)
  if (own === undefined) throw new Error(`Cannot find the cgroup of container ${without} in ${pod}`)
  return usedBy(pod) - usedBy(own)
}

function usedBy(group: string): number {
  if (existsSync(`${group}/cpuacct.usage`)) return Number(readFileSync(`${group}/cpuacct.usage`, 'utf8')) / 1e9
  return Number(/^usage_usec (\d+)$/m.exec(readFileSync(`${group}/cpu.stat`, 'utf8'))?.[1]) / 1e6
}
