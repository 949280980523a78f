import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The gate: every command must succeed; what fails is shown, the rest is one line each. Two run at once. */
const commands: readonly { readonly name: string; readonly line: readonly string[] }[] = [
  { name: 'format and lint', line: ['biome', 'ci', '--colors=off', '--error-on-warnings', '.'] },
  { name: 'types', line: ['tsc', '--noEmit'] },
  { name: 'types on Workers', line: ['tsc', '--noEmit', '-p', 'tsconfig.worker.json'] },
  { name: 'Worker bundle', line: ['tsx', 'scripts/build-worker.ts'] },
  { name: 'dead code', line: ['knip', '--no-progress'] },
  { name: 'shell', line: ['shellcheck', '-x', '--source-path=SCRIPTDIR', '--source-path=.', ...shellScripts()] },
  { name: 'checks', line: ['tsx', 'scripts/lint-checks.ts'] },
  { name: 'architecture', line: ['vitest', 'run', '--project', 'unit', '--reporter=dot', 'test/architecture.test.ts'] },
]

/** Files of the project that a shell runs, told by their first line; what they source is looked at with them. */
function shellScripts(): string[] {
  const { stdout, error } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  if (error) throw error
  return stdout.split('\0').filter((path) => {
    if (path === '' || /\.(?!sh$)[a-z0-9]+$/.test(path)) return false
    try {
      return /^#!.*\b(ba|da)?sh\b/.test(readFileSync(path, 'utf8').slice(0, 100))
    } catch {
      return false // Deleted in the work tree, but not yet in the index; or a directory.
    }
  })
}

function run({ name, line }: (typeof commands)[number]): Promise<boolean> {
  const [command = '', ...args] = line
  const began = performance.now()
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', (error) => {
      const missing = 'code' in error && error.code === 'ENOENT'
      // Only shellcheck comes from elsewhere than npm.
      console.log(missing ? `FAIL ${name}: ${command} is not installed; on Debian: apt-get install ${command}` : `FAIL ${name}: ${error.message}`)
      resolve(false)
    })
    child.on('close', (code) => {
      if (code === null || code < 0) return
      const seconds = ((performance.now() - began) / 1000).toFixed(1)
      console.log(code === 0 ? `ok   ${name} (${seconds} s)` : `FAIL ${name} (${seconds} s): ${command} ended with ${code}\n${Buffer.concat(output)}`)
      resolve(code === 0)
    })
  })
}

const results: boolean[] = []
const queue = [...commands]
async function work(): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(await run(next))
}
await Promise.all([work(), work()])
process.exitCode = results.every(Boolean) ? 0 : 1
