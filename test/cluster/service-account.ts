import { execFileSync } from 'node:child_process'
import { Agent, fetch } from 'undici'
import { kubectl } from './environment.ts'

export interface Answer {
  readonly status: number
  readonly body: { readonly reason?: string; readonly message?: string; readonly [field: string]: unknown }
}

/** Calls the API server with a service account's own token, as the service does. */
export async function asServiceAccount(namespace: string, name: string) {
  const token = (await kubectl(['-n', namespace, 'create', 'token', name])).trim()
  const view = JSON.parse(execFileSync('kubectl', ['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json'], { encoding: 'utf8' }))
  const { server, 'certificate-authority-data': ca } = view.clusters[0].cluster
  const dispatcher = new Agent(ca ? { connect: { ca: Buffer.from(ca, 'base64').toString() } } : {})
  return {
    async call(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
      const response = await fetch(new URL(path, server), {
        method,
        dispatcher,
        headers: { authorization: `Bearer ${token}`, 'content-type': contentType },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      // The log of a pod that is on no node yet is empty.
      return { status: response.status, body: JSON.parse((await response.text()) || '{}') as Answer['body'] }
    },
    close: () => dispatcher.close(),
  }
}
