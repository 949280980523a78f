import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const lab = join(root, 'test/lab/lab')

/** The lab's own directory; what is noted there goes with its images. */
const labState = process.env.LAB_STATE ?? '/var/lib/autodiagnose-lab'

/**
 * An image that runs in pods, of what the work tree has now, on the lab's node: built where it is not there yet. Its tag follows from
 * its content, so that several runs, each with another state of the checks, do not get each other's. `target`: of diagnostics/Dockerfile.
 */
export async function diagnosticImage(target = 'core'): Promise<string> {
  const hash = createHash('sha256')
  for (const path of globSync('diagnostics/**', { cwd: root }).sort()) {
    const file = join(root, path)
    const { mode } = statSync(file)
    if (statSync(file).isFile()) hash.update(`${path} ${mode}\n`).update(readFileSync(file))
  }
  const name = `autodiagnose-${target}`
  const tag = hash.digest('hex').slice(0, 12)
  const image = `localhost/${name}:${tag}`
  const stamp = join(labState, 'images', `${name}-${tag}`)
  if (!existsSync(stamp)) {
    await labImage(join(root, 'diagnostics'), image, ['--target', target])
    writeFileSync(stamp, '')
  }
  return image
}

/** Builds an image and brings it onto the node; waits where another command of the lab is at work. */
async function labImage(directory: string, image: string, options: readonly string[]): Promise<void> {
  for (const end = Date.now() + 300_000; ; await sleep(1000)) {
    try {
      await run(lab, ['image', directory, image, ...options])
      return
    } catch (error) {
      const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
      if (!said.includes('another lab command') || Date.now() > end) throw error
    }
  }
}
