import type { Config, SecretRef } from '../../config.ts'
import type { VerifiedWebhook, WebhookMessage } from '../../deps.ts'
import { verifyBasic, verifyBearer, verifyPlainToken } from './webhook-auth-credentials.ts'
import { verifyGrafana, verifyPagerDuty, verifySha256 } from './webhook-auth-hmac.ts'
import { rejected } from './webhook-auth-parts.ts'
import { verifyStandard } from './webhook-auth-standard.ts'

type Source = Config['sources'][string]

/**
 * Whether the request comes from whom the source is configured for. Signatures are taken of the raw bytes, and all comparisons take the same
 * time whatever is wrong. Of several secrets each is as good as the other. `now` is in milliseconds since the epoch.
 *
 * No message holds anything of a secret, of a credential or of a signature. An empty secret matches nothing.
 */
export async function verifyWebhook(
  request: WebhookMessage,
  source: Source,
  secretOf: (ref: SecretRef) => string,
  now: number,
): Promise<VerifiedWebhook> {
  const read = (refs: readonly SecretRef[]) => refs.map(secretOf).filter((secret) => secret !== '')
  switch (source.kind) {
    case 'alertmanager':
    case 'grafana': {
      const { auth } = source
      if ('bearer' in auth) return verifyBearer(request, read(auth.bearer))
      if ('basic' in auth) return verifyBasic(request, auth.basic.username, read([auth.basic.password]))
      return verifyGrafana(request, read(auth.hmac.secrets), auth.hmac, now)
    }
    case 'pagerduty':
      return verifyPagerDuty(request, read(source.secrets))
    case 'standard':
      return verifyStandard(request, read(source.secrets), source.toleranceSeconds, now)
    case 'github':
      return verifySha256(request, read(source.secrets), { header: 'X-Hub-Signature-256', idHeader: 'X-GitHub-Delivery' })
    case 'gitlab':
      return 'tokens' in source.auth
        ? verifyPlainToken(request, read(source.auth.tokens), { header: 'X-Gitlab-Token', idHeader: 'Idempotency-Key' })
        : verifyStandard(request, read(source.auth.signing), source.toleranceSeconds, now)
    case 'jira':
      return verifySha256(request, read(source.secrets), { header: 'X-Hub-Signature', idHeader: 'X-Atlassian-Webhook-Identifier' })
    default:
      return rejected(401, `Sources of the kind "${(source satisfies never as Source).kind}" cannot be verified`)
  }
}
