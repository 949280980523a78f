import type { Raw, RawPod } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'

/** What Kubernetes gives a container as X_PORT for each Service x of its namespace, and programs do not take for a port. */
const link = /\btcp:\/\/(\d{1,3}(?:\.\d{1,3}){3}):\d{1,5}\b/

/** Findings that quote a program which complains of such a value say whose it is. `services`: those of the pod's namespace. */
export function linkWords({ spec }: RawPod, findings: readonly Finding[], services: readonly Raw[]): readonly Finding[] {
  if (spec.enableServiceLinks === false) return findings
  return findings.map((finding) => {
    const [, address] = (/^(?:log|exit-history|init)$/.test(finding.check) && link.exec(finding.title)) || []
    if (address === undefined) return finding
    const name = services.find((one) => (one.spec as { readonly clusterIP?: string } | undefined)?.clusterIP === address)?.metadata as
      | { readonly name: string }
      | undefined
    const whose = name
      ? `${name.name.toUpperCase().replaceAll('-', '_')}_PORT, which Kubernetes sets for Service ${name.name}`
      : 'X_PORT, which Kubernetes sets for a Service x'
    return {
      ...finding,
      severity: finding.severity === 'info' ? 'warn' : finding.severity,
      title: `${finding.title}: that is the value of ${whose}`,
      cause: 'A variable of the program has the name of one that Kubernetes sets for a Service (service links)',
      next: 'Set enableServiceLinks to false in the pod, set the variable in its env, or rename the Service',
    }
  })
}
