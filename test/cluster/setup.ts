import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/**
 * Before all cluster tests: takes the lab's environment where KUBECONFIG is not set, and makes sure that the cluster answers.
 * Workers inherit this process's environment.
 */
export default function setup(): void {
  const lab = readLab()
  const own = process.env.KUBECONFIG
  // The lab's own kubeconfig, named by hand, is still the lab.
  if (own === undefined || own === '' || own === lab.KUBECONFIG) Object.assign(process.env, lab, { AUTODIAGNOSE_TEST_LAB: '1' })
  try {
    execFileSync('kubectl', ['get', '--raw', '/readyz', '--request-timeout=10s'], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    const why = error instanceof Error && 'stderr' in error && String(error.stderr) !== '' ? String(error.stderr).trim() : String(error)
    if (process.env.AUTODIAGNOSE_TEST_LAB)
      throw new Error(`The lab's cluster does not answer; run "npm run lab -- up" as root, or set KUBECONFIG to a cluster of yours: ${why}`)
    throw new Error(`The cluster of KUBECONFIG "${own}" does not answer to kubectl: ${why}`)
  }
}

/** What `lab env` exports; asked of a shell, so that quoting is the shell's business. */
function readLab(): Record<string, string> {
  const lab = fileURLToPath(new URL('../lab/lab', import.meta.url))
  const text = execFileSync('bash', ['-c', 'eval "$("$1" env)"; env -0', 'bash', lab], { encoding: 'utf8' })
  const entries = text.split('\0').flatMap((entry): [string, string][] => {
    const at = entry.indexOf('=')
    return at > 0 ? [[entry.slice(0, at), entry.slice(at + 1)]] : []
  })
  return Object.fromEntries(entries.filter(([name]) => name === 'PATH' || name === 'KUBECONFIG' || name.startsWith('LAB_')))
}
