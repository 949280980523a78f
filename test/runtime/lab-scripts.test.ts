import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const lab = readFileSync('test/lab/lab', 'utf8')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lab-scripts-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

/** Functions and settings of the lab, by the lines that begin with their names, for a shell that has the rest of its own making. */
function parts(...names: readonly string[]): string {
  return names
    .map((name) => {
      const found = new RegExp(`^${name}\\(\\) \\{(?:.*\\}$|[\\s\\S]*?^\\})|^${name}=.*$`, 'm').exec(lab)?.[0]
      if (found === undefined) throw new Error(`test/lab/lab has no ${name}`)
      return found
    })
    .join('\n')
}

const run = (script: string) => spawnSync('bash', ['-euo', 'pipefail', '-c', script], { encoding: 'utf8' })

describe('lab: packages', () => {
  const policy = () => join(directory, 'policy-rc.d')
  /** Installs with an apt-get that does `apt` instead. */
  const install = (apt: string, installed = 'no') =>
    run(`${parts('POLICY', 'allow_services', 'packages')}
      POLICY=${policy()}
      say() { :; }; retry() { "$@"; }; quiet() { "$@"; }; dpkg-query() { echo ${installed}; }
      apt_get() { [[ $1 == update ]] || { ${apt}; }; }
      packages something`)

  test('are installed while services must not start, and only then', () => {
    expect(install(`"$POLICY" || echo "refused by $?"`)).toMatchObject({ status: 0, stdout: 'refused by 101\n' })
    expect(existsSync(policy())).toBe(false)
  })

  test.each(['false', 'kill -TERM $BASHPID', 'kill -INT $BASHPID', 'exit 100'])('leave nothing that stops services, ended by %s', (end) => {
    expect(install(end).status).not.toBe(0)
    expect(existsSync(policy())).toBe(false)
  })

  test.each(['no', 'installed'])('take away what a killed lab has left, with the package there: %s', (installed) => {
    install('kill -KILL $BASHPID')
    expect(existsSync(policy())).toBe(true)
    expect(install('true', installed).status).toBe(0)
    expect(existsSync(policy())).toBe(false)
  })

  test("leave somebody else's policy alone", () => {
    writeFileSync(policy(), '#!/bin/sh\nexit 101\n', { mode: 0o755 })
    expect(install('true').status).toBe(0)
    expect(readFileSync(policy(), 'utf8')).toBe('#!/bin/sh\nexit 101\n')
  })
})

describe('lab: down', () => {
  /** Everything that could touch this machine is a function that notes its call, and fails if it is `failing`. */
  const down = (failing: string) => {
    const state = join(directory, 'state')
    execFileSync('mkdir', ['-p', join(state, 'bin'), join(state, 'log')])
    writeFileSync(join(state, 'bin', 'kube-proxy'), `#!/bin/sh\n[ ${failing} != kube-proxy ]\n`, { mode: 0o755 })
    const noted = ['umount', 'ip', 'find'].map((name) => `${name}() { echo "${name} $*"; [[ ${failing} != ${name} || $* == *show* ]]; }`).join('\n')
    const result = run(`${parts('die', 'quiet', 'down')}
      STATE=${state} BRIDGE=lab0
      say() { echo "$*" >&2; }; stop() { :; }; alive() { false; }; gone() { :; }; compgen() { false; }
      awk() { echo ${state}/mounted; }
      ${noted}
      down --wipe`)
    return { ...result, wiped: !existsSync(state) }
  }

  test('stops, cleans up and forgets', () => {
    const { status, stdout, wiped } = down('nothing')
    expect({ status, wiped }).toEqual({ status: 0, wiped: true })
    expect(stdout).toMatch(/^umount -l .*mounted\nip link delete lab0$/m)
  })

  test.each([
    ['kube-proxy', 'rules of kube-proxy may be left'],
    ['umount', 'mounted is still mounted'],
    ['ip', 'bridge lab0 is left'],
  ])('does the rest though %s fails, and says so', (failing, said) => {
    const { status, stdout, stderr, wiped } = down(failing)
    expect({ status, wiped }).toEqual({ status: 1, wiped: true })
    expect(stdout).toMatch(/^umount -l .*mounted\nip link delete lab0$/m)
    expect(stderr).toContain(said)
    expect(stderr).toContain('not all is gone')
  })
})
