import { fileURLToPath } from 'node:url'
import { parseAllDocuments } from 'yaml'
import { kubectl } from './environment.ts'

const manifests = fileURLToPath(new URL('../../infra/kubernetes', import.meta.url))
/** The diagnostic image of {@link render}'s admission policy. */
export const policyImage = 'registry.example.com/diagnostics:1'

export interface Manifest {
  readonly kind: string
  readonly metadata: { name: string; namespace?: string }
  readonly [field: string]: unknown
}

/** The manifests as they are, but in the test's namespaces, and with names of their own where they have none. */
export async function render(folder: 'base' | 'external' | 'watched', service: string, watched = ''): Promise<Manifest[]> {
  const text = (await kubectl(['kustomize', `${manifests}/${folder}`]))
    .replaceAll('system:serviceaccount:autodiagnose:', `system:serviceaccount:${service}:`)
    .replaceAll('namespace: autodiagnose', `namespace: ${service}`)
    .replaceAll('policyName: autodiagnose', `policyName: ${service}`)
    .replaceAll(/registry\.example\.com\/autodiagnose@sha256:0+/g, policyImage)
  return parseAllDocuments(text).map((document) => {
    const manifest = document.toJS() as Manifest
    if (manifest.kind.startsWith('ValidatingAdmissionPolicy')) manifest.metadata.name = service
    if (folder === 'watched') manifest.metadata.namespace = watched
    return manifest
  })
}

export function apply(items: readonly Manifest[]): Promise<string> {
  return kubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
}
