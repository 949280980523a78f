import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, lstatSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'

/** Nobody's, on every Linux. */
const nobody = 65534
const isRoot = process.getuid?.() === 0

it('the demo needs no root, and is in colour on a terminal', { timeout: 90_000 }, async (context) => {
  // A tree of the user's own, for the demo writes into it.
  const home = mkdtempSync(join(tmpdir(), 'demo-user-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  for (const part of ['src', 'scripts', 'diagnostics', 'package.json', 'tsconfig.json']) cpSync(part, join(home, part), { recursive: true })
  symlinkSync(join(process.cwd(), 'node_modules'), join(home, 'node_modules'))
  chmodSync(home, 0o777)
  const as = (command: readonly string[]) =>
    isRoot ? ['setpriv', `--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--no-new-privs', ...command] : command
  const run = async ([program = '', ...args]: readonly string[]) => {
    const { NO_COLOR: _, FORCE_COLOR: __, CI: ___, ...env } = process.env
    const child = spawn(program, args, {
      cwd: home,
      env: { ...env, HOME: home, TMPDIR: home, TERM: 'xterm-256color' },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
    const closed = once(child, 'close').then(([code]) => code as number)
    return { code: await closed.catch((error: Error) => `${program}: ${error.message}`), output }
  }
  const { code } = await run(as(['script', '-qec', `'${process.execPath}' --import tsx --eval ''`, '/dev/null']))
  if (code !== 0) context.skip(`because nobody may run this tree's Node, or there is no script or setpriv of util-linux: ${code}`)

  const demo = await run(as(['script', '-qec', `'${process.execPath}' --import tsx scripts/demo.ts`, '/dev/null']))
  expect(demo.code, demo.output).toBe(0)
  const text = stripVTControlCharacters(demo.output)
  expect(text).toMatch(/not ok \d+ - .*http:\/\/localhost:\d+\/v1\/prices.* 500 Internal Server Error/)
  expect(text).toMatch(/Found: .*500 Internal Server Error/)
  const made = readdirSync(join(home, '.demo'), { recursive: true, encoding: 'utf8' }).map((name) => join(home, '.demo', name))
  expect(made.filter((name) => name.endsWith('.tar.gz'))).toHaveLength(1)
  expect(new Set(made.map((name) => lstatSync(name).uid))).toEqual(new Set([isRoot ? nobody : process.getuid?.()]))

  const [bold, red, green] = ['\u001b[1m', '\u001b[31m', '\u001b[32m']
  expect(demo.output).toContain(`${bold}${red}not ok `)
  expect(demo.output).toContain(`${green}ok `)
  expect(demo.output).toContain(`${bold}${green}Found:`)
})
