import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseAllDocuments, stringify } from 'yaml'
import { kubectl } from '../../scripts/bench-lab.ts'

/** infra/kubernetes' Role with its optional rules, as the lab's own deployment of the service has it. */
const rights = fileURLToPath(new URL('../lab/service/fruit', import.meta.url))

interface Manifest {
  readonly kind: string
  readonly rules?: readonly unknown[]
}

/**
 * A service account with the rules of infra/kubernetes' Role, in all namespaces, for those of the cases come and go; returns what takes
 * it away again. Its kubeconfig is written to `file`. `name`: of all that is made.
 */
export async function makeAccount(name: string, file: string): Promise<() => Promise<void>> {
  const rules = parseAllDocuments(await kubectl(['kustomize', rights]))
    .map((document) => document.toJS() as Manifest)
    .flatMap(({ kind, rules = [] }) => (/^(Cluster)?Role$/.test(kind) ? rules : []))
  const apiVersion = 'rbac.authorization.k8s.io/v1'
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'autodiagnose', namespace: name } },
    { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', name: 'autodiagnose', namespace: name }],
    },
  ]
  const remove = async (): Promise<void> =>
    void (await kubectl(['delete', `namespace/${name}`, `clusterrole/${name}`, `clusterrolebinding/${name}`, '--ignore-not-found', '--wait=false']))
  try {
    await kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'List', items })
    const token = (await kubectl(['-n', name, 'create', 'token', 'autodiagnose', '--duration=2h'])).trim()
    const view = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']))
    writeFileSync(file, stringify({ ...view, users: [{ name: view.users[0].name, user: { token } }] }), { mode: 0o600 })
  } catch (error) {
    await remove()
    throw error
  }
  return remove
}
