import type { Raw } from '../../ports/cluster/cluster.ts'
import type { Finding } from '../diagnosis.ts'
import { evidenceFinding } from './evidence-finding.ts'

interface Service {
  readonly metadata: { readonly name: string }
  readonly spec?: { readonly type?: string; readonly externalName?: string; readonly clusterIP?: string; readonly selector?: object }
}

/** What resolvers say of a name that is not there. */
const nameless = /no such host|NXDOMAIN|ENOTFOUND|UnknownHost|(?:not|n't) resolve|name or service not known|Name does not resolve|bad address/i

/**
 * Services that have no selector, of which the program complains as `findings` quote it. It is refused: the node refuses for an address of a Service
 * that has no endpoints. Or it finds no address: the Service is another name of what does not exist. Where nobody complains, both may be as they should.
 */
export function unledServices(findings: readonly Finding[], services: readonly Raw[]): readonly Finding[] {
  const quoting = findings.filter(({ check }) => /^(?:log|exit-history|init)$/.test(check)).map(({ title }) => title)
  const all = services as unknown as readonly Service[]
  const refusing = quoting.filter((title) => /refused|ECONNREFUSED/i.test(title))
  const unknown = quoting.filter((title) => nameless.test(title))
  return [...keptByHand(all, refusing), ...otherNames(all, unknown)]
}

function otherNames(services: readonly Service[], complaints: readonly string[]): readonly Finding[] {
  return services.flatMap(({ metadata: { name }, spec: { type, externalName } = {} }) => {
    const named = new RegExp(`(?<![\\w.-])${name}(?![\\w-])`)
    if (type !== 'ExternalName' || externalName === undefined || !complaints.some((title) => named.test(title))) return []
    const title = `Service ${name}, which the pod calls, is another name (ExternalName) of ${externalName}, and the name is not found`
    return [
      evidenceFinding('service', `${name}/external-name`, 'error', title, {
        cause: 'The name that the Service stands for does not exist: it is misspelt, or what bore it is gone',
        next: `Look ${externalName} up, and correct spec.externalName of the Service`,
      }),
    ]
  })
}

function keptByHand(services: readonly Service[], complaints: readonly string[]): readonly Finding[] {
  return services
    .filter(({ spec: { type, selector = {} } = {} }) => type !== 'ExternalName' && Object.keys(selector).length === 0)
    .filter((service) => complaints.some((title) => isNamed(service, title)))
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
