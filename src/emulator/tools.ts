import { execFileSync } from 'node:child_process'
import { accessSync, constants, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What the runner and the checks call, and what of it this machine has. */
export interface Tools {
  /** The busybox that is used, as in the image; undefined where it is missing or lacks an applet. */
  readonly busybox?: string
  /** Found on the PATH, or provided by perl (`setsid` on macOS). */
  readonly found: readonly string[]
  readonly missing: readonly string[]
}

/** All of them belong to every Debian; macOS lacks `setsid`. */
const needed = ['sh', 'awk', 'cut', 'date', 'dd', 'df', 'find', 'fold', 'grep', 'head', 'sed', 'setsid', 'sleep', 'sort', 'stat', 'tr', 'wc']
const applets = ['awk', 'nc', 'nslookup', 'sh']

/** Looks for the tools on a PATH. */
export function findTools(path = process.env.PATH ?? ''): Tools {
  const busybox = find('busybox', path)
  const has = (name: string) => find(name, path) !== undefined || (name === 'setsid' && find('perl', path) !== undefined)
  return {
    ...(busybox && applets.every((name) => appletsOf(busybox).includes(name)) ? { busybox } : {}),
    found: needed.filter(has),
    missing: needed.filter((name) => !has(name)),
  }
}

/**
 * The PATH for containers: that of this process, after a directory with stand-ins for what is missing there. Real tools
 * first: a machine that has all gets an empty directory.
 */
export function prepareTools(directory: string, path = process.env.PATH ?? ''): string {
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const put = (name: string, script: string) => writeFileSync(join(directory, name), `#!/bin/sh\n${script}`, { mode: 0o755 })
  if (!findTools(path).busybox) put('busybox', busyboxScript())
  if (!find('setsid', path)) put('setsid', `exec perl -MPOSIX -e 'POSIX::setsid(); exec @ARGV or exit 127' -- "$@"\n`)
  return [directory, path].join(delimiter)
}

/** The two applets that a bare machine has no other program for are small Node programs; the others are the machine's own. */
function busyboxScript(): string {
  const program = (name: string) => quote(fileURLToPath(new URL(`stand-ins/${name}.mjs`, import.meta.url)))
  return `applet=$1
shift
# Checks bound the memory of a reader; Node needs more than that to start.
ulimit -S -v unlimited 2>/dev/null
case $applet in
  nc) exec ${quote(process.execPath)} ${program('nc')} "$@" ;;
  nslookup) exec ${quote(process.execPath)} ${program('nslookup')} "$@" ;;
  # mawk, Debian's awk, would hold lines back until it has read 4 KiB.
  awk) case $(awk -W version 2>&1 </dev/null) in mawk*) exec awk -W interactive "$@" ;; *) exec awk "$@" ;; esac ;;
  *) exec "$applet" "$@" ;;
esac
`
}

function find(name: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function appletsOf(busybox: string): string[] {
  try {
    return execFileSync(busybox, ['--list'], { encoding: 'utf8', timeout: 5000 }).split('\n')
  } catch {
    return []
  }
}

const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
