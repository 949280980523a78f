import type { Transport } from '../../src/ports/cluster/cluster.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import { wallClock } from './wall-clock.ts'

export const signal = AbortSignal.timeout(60_000)
export const pod = { namespace: 'shop', name: 'cart' }
export const container = { name: 'ad-1', image: 'registry.example.com/autodiagnose:1', args: ['--diagnosis=ad-1', 'dns=a'] }
export const thePod = { kind: 'Pod', apiVersion: 'v1', metadata: { ...pod, uid: 'u1', resourceVersion: '7' }, spec: { containers: [] }, status: {} }

export const status = (code: number, message: string, details?: object) =>
  Response.json({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, details, code }, { status: code })
export const rbac = () =>
  status(403, 'pods "cart" is forbidden: User "x" cannot get resource "pods" in API group "" in the namespace "shop"', { name: 'cart', kind: 'pods' })

export type Scripted = Response | Error | ((request: Request) => Response | Promise<Response>)

/** A cluster that gives these answers, one after another, and remembers the requests. */
export function answering(...answers: Scripted[]) {
  const requests: { readonly method: string; readonly path: string; readonly type: string | null; readonly body: string }[] = []
  const transport: Transport = async (request) => {
    const { pathname, search } = new URL(request.url)
    const answer = answers[requests.length]
    requests.push({ method: request.method, path: pathname + search, type: request.headers.get('content-type'), body: await request.clone().text() })
    if (answer === undefined) throw new Error(`unexpected request ${request.method} ${pathname}`)
    if (answer instanceof Error) throw answer
    return typeof answer === 'function' ? answer(request) : answer
  }
  return { cluster: kubernetesCluster({ name: 'test', transport, clock: wallClock, timeoutMs: 200 }), requests }
}
