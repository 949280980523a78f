// Runs a command with the project's own Node, from a fresh clone on: `node scripts/enter.mjs COMMAND ARGUMENT...`.
// Installs what package-lock.json names first, where it is not there. Without dependencies, for any Node from 18 on.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const bin = join(modules, '.bin')
const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages

/** Packages of the lockfile that npm has not installed in that version; npm writes its own record last, so a broken install shows. */
function missing() {
  const record = join(modules, '.package-lock.json')
  const there = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')).packages : {}
  return Object.keys(wanted).filter((path) => path !== '' && there[path]?.version !== wanted[path].version && isNeeded(wanted[path]))
}

/** An optional package is needed if it was made for this machine: a native part of another one. */
function isNeeded({ optional, os, cpu, libc }) {
  if (!optional) return true
  if (!os?.includes(process.platform) || !cpu?.includes(process.arch)) return false
  return !libc || libc.includes(process.report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl')
}

function isOurNode(node) {
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return Number(/^v(\d+)\./.exec(stdout ?? '')?.[1]) >= 24
}

function fail(message) {
  throw new Error(message)
}

/** Runs the npm that started this script, or the one in PATH, by the given Node. */
function npm(node, cwd, args) {
  const cli = process.env.npm_execpath?.endsWith('npm-cli.js') ? process.env.npm_execpath : undefined
  const env = { ...process.env, PATH: join(node, '..') + delimiter + (process.env.PATH ?? '') }
  const line = [...args, '--no-audit', '--no-fund']
  const { status, error } = spawnSync(cli ? node : 'npm', cli ? [cli, ...line] : line, { cwd, env, stdio: ['ignore', 2, 2] })
  if (error) fail(`Cannot run npm: ${error.message}; install npm, or run "npm ci" yourself`)
  if (status !== 0) fail(`npm ${args[0]} ended with ${status}; above is why`)
}

const scriptsOff = 'install scripts are switched off; run "npm ci --ignore-scripts=false"'

/** An older Node would leave out native parts that name a newer one: it fetches Node 24 alone, which installs the rest. */
function installBy(install) {
  if (isOurNode(process.execPath)) return install(process.execPath)
  const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-node-'))
  try {
    const { version } = wanted['node_modules/node']
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ private: true, dependencies: { node: version }, allowScripts: { node: true } }))
    npm(process.execPath, directory, ['install', '--no-package-lock'])
    const node = join(directory, 'node_modules', 'node', 'bin', 'node')
    if (!isOurNode(node)) fail(`npm install did not bring Node ${version}: ${scriptsOff}`)
    install(node)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function install() {
  const absent = missing()
  if (absent.length === 0 && isOurNode(join(bin, 'node'))) return
  process.stderr.write(`autodiagnose: installing from package-lock.json (${absent.length} packages to fetch or change)\n`)
  installBy((node) => npm(node, root, ['ci']))
  if (!isOurNode(join(bin, 'node'))) fail(`npm ci did not bring Node 24 into ${bin}: ${scriptsOff}`)
}

function end(error) {
  process.stderr.write(`autodiagnose: ${error.message}\n`)
  process.exit(1)
}

const [command, ...args] = process.argv.slice(2)
try {
  if (!command) fail('name a command: node scripts/enter.mjs COMMAND ARGUMENT...')
  install()
} catch (error) {
  end(error)
}
const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: bin + delimiter + (process.env.PATH ?? '') } })
// A terminal's ^C reaches the whole group by itself; what is sent to this process alone is handed on.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('error', (error) => end(new Error(`Cannot run ${command}: ${error.message}`)))
child.on('exit', (code, signal) => process.exit(signal ? 1 : code))
