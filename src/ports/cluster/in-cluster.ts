import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { Agent } from 'undici'
import type { Transport } from './cluster.ts'
import { dispatch, keptDispatcher } from './dispatch.ts'

export interface InClusterOptions {
  /** Default: KUBERNETES_SERVICE_HOST, which the kubelet sets in every container. */
  readonly host?: string | undefined
  /** Default: KUBERNETES_SERVICE_PORT. */
  readonly port?: string | undefined
  /** Where `token` and `ca.crt` are. Default: where the kubelet mounts them. */
  readonly directory?: string
}

/** A transport as the pod's own service account. Both files are read for each request, since the kubelet renews them. Throws a clear error outside of a pod. */
export function inClusterTransport({
  host = process.env.KUBERNETES_SERVICE_HOST,
  port = process.env.KUBERNETES_SERVICE_PORT,
  directory = '/var/run/secrets/kubernetes.io/serviceaccount',
}: InClusterOptions): Transport {
  if (!host || !port)
    throw new Error('Cannot use inCluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set; outside of a pod, configure a kubeconfig')
  const server = `https://${isIPv6(host) ? `[${host}]` : host}:${port}`
  const dispatcherFor = keptDispatcher((ca: string) => new Agent({ connect: { ca, keepAlive: true, keepAliveInitialDelay: 30_000 } }))
  const read = async (name: string) => {
    try {
      return await readFile(join(directory, name), 'utf8')
    } catch (cause) {
      const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT'
      const hint = absent ? '; does the pod have automountServiceAccountToken: false' : ''
      throw new Error(`cannot read the service account: ${cause instanceof Error ? cause.message : cause}${hint}`)
    }
  }
  return async (request) => {
    const [body, token, ca] = await Promise.all([bodyOf(request), read('token'), read('ca.crt')])
    return dispatch(request, body, { server, headers: [['authorization', `Bearer ${token.trim()}`]], dispatcher: dispatcherFor(ca) })
  }
}

async function bodyOf(request: Request): Promise<Uint8Array | undefined> {
  return request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
}
