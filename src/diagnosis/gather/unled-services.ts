import type { Raw } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { evidenceFinding } from './evidence-finding.ts'

interface Service {
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly type?: string; readonly clusterIP?: string; readonly selector?: object }
}

/**
 * Services without a selector that the program is refused by, as `findings` quote it: the node refuses for an address of a Service that has no
 * endpoints. Who keeps endpoints by hand has none where nobody complains.
 */
export function unledServices(findings: readonly Finding[], services: readonly Raw[]): readonly Finding[] {
  const complaints = findings.filter(({ check, title }) => /^(?:log|exit-history|init)$/.test(check) && /refused|ECONNREFUSED/i.test(title))
  return (services as unknown as readonly Service[])
    .filter(({ spec: { type, selector = {} } = {} }) => type !== 'ExternalName' && Object.keys(selector).length === 0)
    .filter((service) => complaints.some(({ title }) => isNamed(service, title)))
    .map(({ metadata: { name } }) =>
      evidenceFinding(
        'service',
        `${name}/no-selector`,
        'error',
        `Service ${name}, which the pod calls, has no selector and refuses connections: it has no endpoints, or nothing listens at those that it was given`,
        {
          cause: 'Without a selector somebody has to keep the endpoints of the Service by hand, or a controller; nobody did, or they are of old',
          next: `Give the Service a selector, or look at its endpoints: kubectl get endpointslices -l kubernetes.io/service-name=${name}`,
        },
      ),
    )
}

function isNamed({ metadata: { name }, spec: { clusterIP = '' } = {} }: Service, text: string): boolean {
  const address = /^\d/.test(clusterIP) && new RegExp(`(?<![\\d.])${clusterIP.replaceAll('.', '\\.')}(?![\\d.]*\\d)`).test(text)
  return address || new RegExp(`(?<![\\w.-])${name}(?:\\.[\\w.-]+)?:\\d`).test(text)
}
