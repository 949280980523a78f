import type { Config } from '../config.ts'
import type { Clock, VerifyWebhook } from '../deps.ts'
import { verifyWebhook } from '../diagnosis/admit/webhook-auth.ts'
import { complainAboutSecret, secretsOfSource } from '../diagnosis/admit/webhook-auth-secrets.ts'
import type { Tracker } from '../ports/tracker/tracker.ts'
import type { SecretOf } from './parts.ts'
import { pathText } from './path-text.ts'

/** Tells genuine messages by the secrets of the sources. Throws naming the source whose secret is of a form that cannot be right. */
export function webhookVerifier({ sources }: Config, secret: SecretOf, clock: Pick<Clock, 'now'>): VerifyWebhook {
  for (const [name, source] of Object.entries(sources)) {
    for (const { kind, ref, path } of secretsOfSource(source)) {
      const complaint = complainAboutSecret(kind, secret(ref))
      if (complaint !== undefined) throw new Error(`${pathText(['sources', name, ...path])}: ${complaint}`)
    }
  }
  return async (name, message) => {
    const source = sources[name]
    if (!source) return { kind: 'rejected', status: 401, message: `No source "${name}" is configured` }
    return verifyWebhook(message, source, secret, clock.now())
  }
}

/** Throws where a route leads to a project that its tracker cannot have. */
export function checkRoutes({ reports }: Config, trackers: ReadonlyMap<string, Tracker>): void {
  for (const [at, route] of reports.routes.entries()) {
    if (!('tracker' in route)) continue
    const complaint = trackers.get(route.tracker)?.complainAboutProject(route.project)
    if (complaint !== undefined) throw new Error(`reports.routes[${at}].project: ${complaint}`)
  }
}
