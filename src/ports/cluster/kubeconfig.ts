import { readFileSync } from 'node:fs'
import type { RequestOptions } from 'node:https'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'
import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from 'undici'
import { parse } from 'yaml'
import type { Transport } from './cluster.ts'
import { dispatch, keptDispatcher, type Way } from './dispatch.ts'

export interface KubeconfigOptions {
  readonly file: string
  /** Default: the file's current-context. */
  readonly context?: string
}

/**
 * A transport by a kubeconfig, in every form of credentials that client-node knows, applied to each request so that they may be
 * renewed; `tokenFile` and all impersonation fields besides. When the API server does not accept them, the file is read anew and
 * the request sent once more. Throws an error that names the file and what is wrong with it.
 */
export function kubeconfigTransport({ file, context }: KubeconfigOptions): Transport {
  const dispatcherFor = keptDispatcher(makeDispatcher)
  let loaded = load(file, context)
  return async (request) => {
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined
    const used = loaded
    const response = await dispatch(request, body, await wayOf(used, file, dispatcherFor))
    if (response.status !== 401) return response
    const again = loaded === used ? load(file, context) : loaded
    loaded = again
    await response.body?.cancel()
    return dispatch(request, body, await wayOf(again, file, dispatcherFor))
  }
}

interface Loaded {
  readonly kube: KubeConfig
  readonly impersonation: readonly (readonly [string, string])[]
}

interface RawUser {
  token?: string
  tokenFile?: string
  'auth-provider'?: unknown
  exec?: { command?: string; apiVersion?: string; provideClusterInfo?: boolean; env?: { name: string; value: string }[] | null }
  'as-groups'?: string[]
  'as-uid'?: string
  'as-user-extra'?: Record<string, string[]>
}

function load(file: string, context: string | undefined): Loaded {
  const wrong = (what: string, cause?: unknown) => new Error(`Cannot use kubeconfig "${file}": ${what}`, { cause })
  const kube = new KubeConfig()
  const directory = dirname(resolve(file))
  let users: readonly { readonly name?: string; readonly user?: RawUser }[]
  try {
    // Without the lines themselves in its messages: they hold credentials.
    const config = parse(readFileSync(file, 'utf8'), { prettyErrors: false }) as { users?: typeof users } | null
    users = config?.users ?? []
    for (const { user } of users) if (user) complete(user, directory)
    kube.loadFromString(JSON.stringify(config ?? {}))
    kube.makePathsAbsolute(directory)
  } catch (error) {
    throw wrong(error instanceof Error ? error.message : String(error), error)
  }
  const name = context ?? kube.getCurrentContext()
  const contexts = kube.getContexts().map((one) => one.name)
  if (!name) throw wrong(`it has no current-context; set one, or name a context in the configuration: it has ${contexts.join(', ') || 'none'}`)
  const chosen = kube.getContextObject(name)
  if (!chosen) throw wrong(`there is no context "${name}"; it has ${contexts.join(', ') || 'none'}`)
  kube.setCurrentContext(name)
  const cluster = kube.getCurrentCluster()
  if (!cluster) throw wrong(`context "${name}" names cluster "${chosen.cluster}", which is not in it`)
  if (!/^https?:/i.test(cluster.server) || !URL.canParse(cluster.server))
    throw wrong(`server "${cluster.server}" of cluster "${chosen.cluster}" is no URL of https`)
  if (chosen.user && !kube.getCurrentUser()) throw wrong(`context "${name}" names user "${chosen.user}", who is not in it`)
  const { protocol, hostname } = new URL(cluster.server)
  // As `kubectl proxy` serves: client-node refuses plain HTTP, unless it is told that nothing need be verified.
  if (protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)) Object.assign(cluster, { skipTLSVerify: true })
  if (protocol === 'http:' && !cluster.skipTLSVerify) throw wrong(`server "${cluster.server}" is plain HTTP, over which credentials are not sent`)
  return { kube, impersonation: impersonation(users.find((one) => one.name === chosen.user)?.user) }
}

/** What client-node leaves out: tokenFile, and what credential plugins expect of their caller. */
function complete(user: RawUser, directory: string): void {
  if (user.tokenFile) {
    user['auth-provider'] = {
      name: 'tokenFile',
      config: { tokenFile: isAbsolute(user.tokenFile) ? user.tokenFile : join(directory, user.tokenFile) },
    }
    delete user.token
  }
  const { exec } = user
  if (!exec) return
  if (exec.command?.includes('/') && !isAbsolute(exec.command)) exec.command = join(directory, exec.command)
  if (!exec.env?.some(({ name }) => name === 'KUBERNETES_EXEC_INFO')) {
    const info = { apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } }
    exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(info) }]
  }
}

function impersonation(user: RawUser | undefined): (readonly [string, string])[] {
  return [
    ...(user?.['as-groups'] ?? []).map((group) => ['impersonate-group', group] as const),
    ...(user?.['as-uid'] ? [['impersonate-uid', user['as-uid']] as const] : []),
    ...Object.entries(user?.['as-user-extra'] ?? {}).flatMap(([key, values]) =>
      values.map((value) => [`impersonate-extra-${encodeURIComponent(key.toLowerCase())}`, value] as const),
    ),
  ]
}

interface DispatcherOptions {
  readonly proxy: string | undefined
  readonly tls: object
}

async function wayOf({ kube, impersonation }: Loaded, file: string, dispatcherFor: (options: DispatcherOptions) => Dispatcher): Promise<Way> {
  const cluster = kube.getCurrentCluster()
  if (!cluster) throw new TypeError('A loaded kubeconfig has a cluster')
  const options: RequestOptions & { headers: Record<string, string> } = { headers: {} }
  try {
    await kube.applyToHTTPSOptions(options)
  } catch (cause) {
    throw new Error(`cannot get the credentials of kubeconfig "${file}": ${cause instanceof Error ? cause.message.trim() : cause}`)
  }
  const { ca, cert, key, rejectUnauthorized, servername } = options
  const tls = Object.fromEntries(
    Object.entries({ ca: text(ca), cert: text(cert), key: text(key), rejectUnauthorized, servername }).filter(([, value]) => value !== undefined),
  )
  const basic = options.auth ? [['authorization', `Basic ${Buffer.from(options.auth).toString('base64')}`] as const] : []
  return {
    server: cluster.server,
    headers: [...basic, ...Object.entries(options.headers), ...impersonation],
    dispatcher: dispatcherFor({ proxy: cluster.proxyUrl || undefined, tls }),
  }
}

/** Certificates and keys are PEM. */
const text = (value: unknown) => (value === undefined || value === null ? undefined : String(value))

function makeDispatcher({ proxy, tls }: DispatcherOptions): Dispatcher {
  const connect = { ...tls, keepAlive: true, keepAliveInitialDelay: 30_000 }
  if (proxy === undefined) return new Agent({ connect })
  return /^socks/i.test(proxy) ? new Socks5ProxyAgent(proxy, { requestTls: connect } as object) : new ProxyAgent({ uri: proxy, requestTls: connect })
}
