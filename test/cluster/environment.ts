import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach } from 'vitest'

const run = promisify(execFile)

/** Whether the cluster is the lab's, with S3, Redmine and faults beside it; else it is the one of the caller's KUBECONFIG. */
export const isLab = process.env.AUTODIAGNOSE_TEST_LAB === '1'

/**
 * The diagnostic image as this cluster's nodes have it, or can pull it: AUTODIAGNOSE_TEST_IMAGE, or what scripts/lab-images.sh brings onto the
 * lab's node; '' where neither is.
 */
export const testImage = process.env.AUTODIAGNOSE_TEST_IMAGE || (isLab ? 'localhost/autodiagnose:1' : '')

/** For the top of a file or `describe` block whose tests need only {@link testImage} of a cluster. */
export function needsTestImage(): void {
  beforeEach((context) => {
    if (testImage === '') context.skip('because AUTODIAGNOSE_TEST_IMAGE names no diagnostic image that this cluster has: see CONTRIBUTING.md')
  })
}

/** A variable that `lab env` exports. Only for tests that {@link needsLab}. */
export function labVariable(name: `LAB_${string}`): string {
  const value = process.env[name]
  if (!value) throw new Error(`Cannot read ${name}: not exported by "test/lab/lab env"; is the whole lab up`)
  return value
}

/** For the top of a file or `describe` block whose tests need S3, Redmine or the lab's faults: elsewhere they are reported as not run. */
export function needsLab(): void {
  beforeEach((context) => {
    if (!isLab) context.skip('because this cluster is not the lab: unset KUBECONFIG and run "npm run lab -- up"')
  })
}

/** Runs kubectl and returns what it prints; the error holds what it says. `input` is its standard input. */
export async function kubectl(args: readonly string[], input?: string): Promise<string> {
  const running = run('kubectl', [...args], { maxBuffer: 64 * 1024 * 1024 })
  if (input !== undefined) running.child.stdin?.end(input)
  return (await running).stdout
}

/** A namespace of its own for the tests of this file or `describe` block, made before them and removed after them. */
export function useNamespace(purpose: string, labels: Readonly<Record<string, string>> = {}): string {
  const name = `autodiagnose-test-${purpose}-${randomBytes(3).toString('hex')}`
  beforeAll(async () => {
    await kubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }))
  })
  afterAll(async () => {
    await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])
  })
  return name
}
