import { hidden } from './redactor.ts'
import type { Format } from './rule.ts'

const github = 'https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github'
const fill = (length: number) => 'MadeUp0Secret'.repeat(12).slice(0, length)

/** Secrets that show by their form. The examples are made up. */
export const formats: readonly Format[] = [
  {
    name: 'jwt',
    hides: 'JSON Web Tokens, Kubernetes service account tokens among them',
    source: 'https://www.rfc-editor.org/rfc/rfc7519',
    example: `token review of eyJ${fill(20)}.eyJ${fill(30)}.${fill(43)} failed`,
    prefix: 'eyJ',
    body: String.raw`[\w-]{8,}\.[\w-]*(?:\.[\w-]*){0,3}`,
  },
  {
    name: 'jwt-base64',
    hides: 'JSON Web Tokens inside base64, as in a Secret',
    source: 'https://kubernetes.io/docs/concepts/configuration/secret/',
    example: `  data: ZXlK${fill(60)}`,
    prefix: 'ZXlK',
    body: '[A-Za-z0-9+/]{32,}={0,2}',
  },
  {
    name: 'aws-access-key-id',
    hides: 'AWS access key ids',
    source: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html',
    example: 'credentials of AKIAMADEUPMADEUP0000 are not valid',
    prefix: 'A(?:KIA|SIA|BIA|CCA)',
    body: '[A-Z0-9]{16}(?![A-Za-z0-9])',
  },
  {
    name: 'google-key',
    hides: 'Google API keys, OAuth access tokens and client secrets',
    source: 'https://cloud.google.com/docs/authentication/api-keys',
    example: `maps: AIza${fill(35)}`,
    prefix: String.raw`AIza|ya29\.|GOCSPX-`,
    body: String.raw`[\w-]{20,}`,
  },
  {
    name: 'azure-client-secret',
    hides: 'client secrets of Microsoft Entra applications',
    source: 'https://learn.microsoft.com/entra/identity-platform/howto-create-service-principal-portal',
    example: `AADSTS7000215 for abc8Q~${fill(34)}`,
    prefix: String.raw`[A-Za-z0-9_.-]{3}\dQ~`,
    trigger: 'Q~',
    body: '[A-Za-z0-9_~.-]{31,}',
  },
  {
    name: 'github-token',
    hides: 'GitHub tokens: personal, OAuth, user, server, refresh and fine-grained',
    source: github,
    example: `cloning with ghp_${fill(36)}`,
    prefix: 'gh[pousr]_|github_pat_',
    body: '[A-Za-z0-9_]{20,}',
  },
  {
    name: 'gitlab-token',
    hides: 'GitLab tokens: personal, deploy, runner, trigger, feed, agent, OAuth, SCIM, CI job',
    source: 'https://docs.gitlab.com/security/tokens/',
    example: `runner glpat-${fill(20)}`,
    prefix: 'gl(?:pat|dt|rt|ptt|ft|imt|agent|oas|soat|cbt|ffct)-',
    body: '[A-Za-z0-9_.-]{16,}',
  },
  {
    name: 'slack-token',
    hides: 'Slack tokens',
    source: 'https://docs.slack.dev/authentication/tokens',
    example: `posting as xoxb-1111-2222-${fill(24)}`,
    prefix: String.raw`xox[a-z](?:\.xox[a-z])?-|xapp-`,
    body: '[A-Za-z0-9-]{10,}',
  },
  {
    name: 'stripe-key',
    hides: 'Stripe secret and restricted keys',
    source: 'https://docs.stripe.com/keys',
    example: `charge failed with sk_live_${fill(24)}`,
    prefix: '[sr]k_(?:live|test)_',
    body: '[A-Za-z0-9]{10,}',
  },
  {
    name: 'package-registry-token',
    hides: 'npm, PyPI, RubyGems and Docker Hub tokens',
    source: 'https://docs.npmjs.com/about-access-tokens',
    example: `publish with npm_${fill(36)}`,
    prefix: 'npm_|pypi-AgE|rubygems_|dckr_[op]at_',
    body: String.raw`[\w-]{20,}`,
  },
  {
    name: 'ai-key',
    hides: 'OpenAI, Anthropic and Hugging Face keys',
    source: 'https://platform.openai.com/docs/api-reference/authentication',
    example: `model refused sk-proj-${fill(48)}`,
    prefix: 'sk-(?:proj|svcacct|admin|ant|or|lf)-|sk-(?=[A-Za-z0-9]{20})|hf_(?=[A-Za-z0-9]{30})',
    body: String.raw`[\w-]{16,}`,
  },
  {
    name: 'hosting-token',
    hides: 'tokens of DigitalOcean, Shopify, Databricks, Grafana, New Relic, Atlassian, Twilio and SendGrid',
    source: 'https://docs.digitalocean.com/reference/api/create-personal-access-token/',
    example: `droplet api dop_v1_${'0123abcd'.repeat(8)}`,
    prefix: String.raw`do[opr]_v1_|shp(?:at|ca|pa|ss)_|dapi(?=[0-9a-f]{32})|gl(?:sa|c)_(?=[A-Za-z0-9+/]{20})|NRAK-|AT(?:ATT3|CTT3|BB)(?=[\w=-]{24})|SK(?=[0-9a-f]{32})|SG\.(?=[\w-]{16,32}\.)`,
    body: String.raw`[\w.=+/-]{20,}`,
  },
  {
    name: 'vault-token',
    hides: 'HashiCorp Vault and Terraform tokens',
    source: 'https://developer.hashicorp.com/vault/docs/concepts/tokens',
    example: `renewing hvs.${fill(24)}`,
    prefix: String.raw`hv[sbr]\.|[A-Za-z0-9]{14}\.atlasv1\.`,
    trigger: String.raw`hv[sbr]\.|\.atlasv1\.`,
    body: String.raw`[\w=-]{20,}`,
  },
  {
    name: 'openshift-token',
    hides: 'OpenShift access tokens',
    source: 'https://docs.redhat.com/documentation/openshift_container_platform',
    example: `oc login with sha256~${fill(43)}`,
    prefix: 'sha256~',
    body: String.raw`[\w-]{20,}`,
  },
  {
    name: 'webhook-secret',
    hides: 'signing secrets of Standard Webhooks and Stripe',
    source: 'https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md',
    example: `signing with whsec_${fill(32)}`,
    prefix: 'whsec_',
    body: '[A-Za-z0-9+/=_-]{16,}',
  },
  {
    name: 'telegram-bot-token',
    hides: 'Telegram bot tokens',
    source: 'https://core.telegram.org/bots/api#authorizing-your-bot',
    example: `https://api.telegram.example/bot1234567890:AA${fill(33)}/getMe`,
    prefix: String.raw`bot\d{8,10}:|\d{8,10}:AA(?=[\w-]{33})`,
    trigger: String.raw`bot\d|:AA`,
    body: String.raw`[\w-]{30,}`,
  },
  {
    name: 'age-key',
    hides: 'secret keys of age',
    source: 'https://github.com/C2SP/C2SP/blob/main/age.md',
    example: `identity AGE-SECRET-KEY-1${'MADEUP0000'.repeat(6).slice(0, 58)}`,
    prefix: 'AGE-SECRET-KEY-1',
    body: '[A-Z0-9]{20,}',
  },
  {
    name: 'autodiagnose-token',
    hides: 'access tokens of this service',
    source: 'docs/redaction.md',
    example: `curl with ad_${fill(43)}`,
    prefix: 'ad_',
    body: '[A-Za-z0-9]{30,}',
  },
]

/** A token begins where no letter or digit stands before it, unless that ends an escape: `\n` in JSON, `%3D` in a URL, `\u003d`. */
const edge = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u00[0-9A-Fa-f]{2}))`
const every = new RegExp(`${edge}(?:${formats.map((format) => `((?:${format.prefix})${format.body})`).join('|')})`, 'g')

/** Source of a regular expression that hits in every line with a secret of a known form. */
export const formatTrigger = formats.map((format) => format.trigger ?? format.prefix).join('|')
const trigger = new RegExp(formatTrigger)

/** Hides every secret of a known form, in one pass over the line. */
export function hideFormats(line: string, count: (rule: string) => void): string {
  if (!trigger.test(line)) return line
  return line.replace(every, (...match: unknown[]) => {
    const which = formats.findIndex((_, index) => match[index + 1] !== undefined)
    count(formats[which]?.name ?? '')
    return hidden
  })
}
