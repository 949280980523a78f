import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { isLab, kubectl, useNamespace } from './environment.ts'
import { kubectlAgain } from './pods.ts'

/** infra/kubernetes' Role with its optional rules, as the lab's own deployment of the service has it. */
const rightsFolder = fileURLToPath(new URL('../lab/service/fruit', import.meta.url))

export interface ServiceRights {
  /** The user name of the account at the API server. */
  readonly user: string
  /** `namespace/name` of the account. */
  readonly account: string
  /** Writes a kubeconfig that holds its token. */
  writeKubeconfig(file: string): Promise<void>
  /** The token of another account, which may do nothing but ask for tokens of the first, as infra/kubernetes/external has one. */
  askingToken(): Promise<string>
}

/**
 * A service account of its own with nothing but infra/kubernetes' Role in each of the namespaces, for the tests of this file or
 * `describe` block; nothing is made where it is not `wanted`.
 */
export function useServiceRights(watched: readonly string[], wanted = isLab): ServiceRights {
  const namespace = useNamespace('account')
  // A namespace may have the Role of the lab's own deployment already.
  const name = namespace
  const user = `system:serviceaccount:${namespace}:autodiagnose`
  beforeAll(async () => {
    if (!wanted) return
    const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'autodiagnose', namespace } }
    await apply([account, ...(await Promise.all(watched.map((one) => rightsIn(one, name, namespace)))).flat()])
  })
  afterAll(async () => {
    if (!wanted) return
    for (const one of watched) await kubectlAgain(['-n', one, 'delete', 'role,rolebinding', name, '--ignore-not-found'])
  })
  return {
    user,
    account: `${namespace}/autodiagnose`,
    async askingToken() {
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'asking', namespace },
        rules: [{ apiGroups: [''], resources: ['serviceaccounts/token'], resourceNames: ['autodiagnose'], verbs: ['create'] }],
      }
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: 'asking', namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'asking' },
        subjects: [{ kind: 'ServiceAccount', name: 'asking', namespace }],
      }
      await apply([{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'asking', namespace } }, role, binding])
      return (await kubectlAgain(['-n', namespace, 'create', 'token', 'asking', '--duration=2h'])).trim()
    },
    async writeKubeconfig(file) {
      const token = (await kubectlAgain(['-n', namespace, 'create', 'token', 'autodiagnose', '--duration=2h'])).trim()
      const view = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']))
      const kubeconfig = { ...view, users: [{ name: view.users[0].name, user: { token } }] }
      await writeFile(file, JSON.stringify(kubeconfig), { mode: 0o600 })
    },
  }
}

interface Manifest {
  readonly metadata: { name: string; namespace?: string }
  roleRef?: { name: string }
  readonly subjects?: { namespace: string }[]
}

async function rightsIn(watched: string, name: string, account: string): Promise<readonly Manifest[]> {
  return parseAllDocuments(await kubectl(['kustomize', rightsFolder])).map((document) => {
    const manifest = document.toJS() as Manifest
    Object.assign(manifest.metadata, { name, namespace: watched })
    if (manifest.roleRef) manifest.roleRef.name = name
    for (const subject of manifest.subjects ?? []) subject.namespace = account
    return manifest
  })
}

function apply(items: readonly unknown[]): Promise<string> {
  return kubectlAgain(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
}
