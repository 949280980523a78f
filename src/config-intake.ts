import { z } from '@hono/zod-openapi'
import { httpUrl, name, patterns, secret } from './config-values.ts'
import { profiles } from './diagnosis/diagnosis.ts'

/** The parts of the configuration that are about alerts coming in and reports going out. */

const secrets = z.array(secret).min(1)

/** How a sender proves who it is, by the header Authorization. */
const senderAuth = z.union(
  [
    z.strictObject({ bearer: secrets.describe('Tokens, each as good as the other: two, while one is replaced') }),
    z.strictObject({
      basic: z
        .strictObject({ username: z.string().min(1).describe('The user name'), password: secret.describe('The password') })
        .describe('User name and password'),
    }),
  ],
  '{bearer: [SECRET]} or {basic: {username: NAME, password: SECRET}}',
)

/** https://www.rfc-editor.org/rfc/rfc9110#name-tokens */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'the name of a header')

const authWords = 'How the sender proves who it is'

const toleranceSeconds = z
  .number()
  .int()
  .min(10)
  .max(3600)
  .default(300)
  .describe('A message whose signed time is further from now than this is refused: it may be a replay')

/** A label's name; exported_pod and the like come before pod, because the latter may name the exporter. */
const labelNames = z.array(z.string().min(1)).min(1)

const relabel = z
  .strictObject({
    sourceLabels: z.array(z.string().min(1)).default([]).describe('Their values are put together with the separator'),
    separator: z.string().default(';').describe('Between the values'),
    regex: z.string().default('(.*)').describe('Must match all of it, which has 512 characters at most; as in JavaScript, flags s and u'),
    targetLabel: z.string().min(1).optional().describe('The label that is set; for replace'),
    replacement: z.string().default('$1').describe('What it is set to; $1 is the first group; an empty text takes the label away'),
    action: z.enum(['replace', 'keep', 'drop']).default('replace').describe('Set a label, or go on only with alerts that match, or do not match'),
  })
  .describe('As in Prometheus')

const alerts = {
  cluster: name.optional().describe('The cluster that all alerts of this source are about; default: the label cluster, or the only one there is'),
  labels: z
    .strictObject({
      cluster: labelNames.default(['cluster']).describe('Labels that may name the cluster'),
      namespace: labelNames.default(['exported_namespace', 'namespace', 'kubernetes_namespace']).describe('Labels that may name the namespace'),
      pod: labelNames.default(['exported_pod', 'pod', 'pod_name', 'kubernetes_pod_name']).describe('Labels that may name the pod'),
      container: labelNames.default(['exported_container', 'container', 'container_name']).describe('Labels that may name the container'),
      deployment: labelNames.default(['deployment']).describe('Labels that may name a Deployment'),
      statefulset: labelNames.default(['statefulset']).describe('Labels that may name a StatefulSet'),
      daemonset: labelNames.default(['daemonset']).describe('Labels that may name a DaemonSet'),
      job: labelNames.default(['job_name']).describe('Labels that may name a Job; job itself is the name of a scrape'),
      service: labelNames.default(['exported_service', 'service']).describe('Labels that may name a Service'),
    })
    .prefault({})
    .describe('Which labels say what an alert is about; the first that is there counts'),
  exporters: patterns
    .default(['kube-state-metrics*', '*-kube-state-metrics*', 'node-exporter*', '*-node-exporter*', 'kubelet', '*-kubelet', 'kube-rbac-proxy*'])
    .describe('Pods, containers and services whose name matches are the exporter of a metric and never what an alert is about'),
  relabel: z.array(relabel).default([]).describe('Changes the labels before they are looked at'),
  profile: z.enum(profiles).default('auto').describe('Security profile of the containers'),
}

const users = z
  .record(z.string().min(1), z.string().min(1))
  .default({})
  .describe(
    'Who may ask: name in the tracker, or id:NUMBER, to name of one of the principals, as whom they are treated; on Jira Cloud the account id, on Data Center the name or id:KEY',
  )

const commands = {
  tracker: name.describe('The tracker of this configuration where the answer lands'),
  users,
  label: z.string().min(1).default('diagnose').describe('An issue that is given this label is diagnosed, by the line /diagnose of its description'),
}

export const source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('alertmanager').describe("Alertmanager's webhook, version 4"), auth: senderAuth.describe(authWords), ...alerts }),
  z.strictObject({
    kind: z.literal('grafana').describe("Grafana Alerting's webhook"),
    auth: z
      .union(
        [
          ...senderAuth.options,
          z.strictObject({
            hmac: z
              .strictObject({
                secrets: secrets.describe('Secrets of the contact point: two, while one is replaced'),
                header: headerName.default('X-Grafana-Alerting-Signature').describe('The header of the signature'),
                timestampHeader: headerName
                  .optional()
                  .describe('The header of the time, where the contact point sends one; needed to refuse replays'),
                toleranceSeconds,
              })
              .describe('A signature of the body'),
          }),
        ],
        '{bearer: [SECRET]}, {basic: {username: NAME, password: SECRET}} or {hmac: {secrets: [SECRET]}}',
      )
      .describe(authWords),
    ...alerts,
  }),
  z.strictObject({
    kind: z.literal('pagerduty').describe("PagerDuty's webhook, version 3"),
    secrets: secrets.describe('Signing secrets of the subscription: two, while one is replaced'),
    ...alerts,
  }),
  z.strictObject({
    kind: z.literal('standard').describe('Whatever signs as Standard Webhooks says'),
    secrets: secrets.describe('whsec_ and base64: two, while one is replaced'),
    toleranceSeconds,
    ...alerts,
  }),
  z.strictObject({
    kind: z.literal('github').describe('Comments and labels of GitHub issues'),
    secrets: secrets.describe('Secrets of the webhook'),
    ...commands,
  }),
  z.strictObject({
    kind: z.literal('gitlab').describe('Comments and labels of GitLab issues'),
    auth: z
      .union(
        [
          z.strictObject({ tokens: secrets.describe('The secret token of the webhook') }),
          z.strictObject({ signing: secrets.describe('The signing token of the webhook: whsec_ and base64') }),
        ],
        '{tokens: [SECRET]} or {signing: [SECRET]}',
      )
      .describe(authWords),
    toleranceSeconds,
    ...commands,
  }),
  z.strictObject({
    kind: z.literal('jira').describe('Comments and labels of Jira issues'),
    secrets: secrets.describe('Secrets of the webhook'),
    ...commands,
  }),
])

const seconds = (max: number) => z.number().int().min(0).max(max)

export const intake = z
  .strictObject({
    podCooldownSeconds: seconds(604_800)
      .default(3600)
      .describe('After a diagnosis for an alert, alerts start no other one of the same pod for so long'),
    workloadCooldownSeconds: seconds(604_800)
      .default(3600)
      .describe('For so long the next two keys count, and alerts that are over them start nothing'),
    podsPerTrouble: z.number().int().min(1).max(100).default(1).describe('Diagnoses of one trouble: the same alert of the same workload'),
    podsPerWorkload: z.number().int().min(1).max(100).default(3).describe('Pods of one workload that are diagnosed for alerts'),
    storm: z
      .strictObject({
        diagnoses: z.number().int().min(1).max(10_000).default(20).describe('Diagnoses of one cluster that alerts may start'),
        seconds: z.number().int().min(1).max(86_400).default(600).describe('in so many seconds'),
      })
      .prefault({})
      .describe('More than that is a storm: it is summarised, not diagnosed'),
    quietSeconds: seconds(86_400).default(300).describe('A trouble that stays resolved for so long is told as resolved'),
  })
  .prefault({})
  .describe('How many diagnoses alerts may start')

const route = z.strictObject({
  match: z
    .record(z.string().min(1), z.union([z.string(), patterns.min(1)]))
    .default({})
    .describe(
      'Labels of the alert, and cluster, namespace, workload, alertname and source; * stands for any characters; all must match, any value of a list may',
    ),
  tracker: name.describe('A tracker of this configuration'),
  project: z.string().min(1).describe('Where in the tracker: owner/repository, path or key of a project'),
  labels: z.array(z.string().min(1)).default(['autodiagnose']).describe('Labels of the new issue'),
  type: z.string().min(1).optional().describe("Of the new issue: Jira's issue type, Redmine's tracker"),
})

const noReport = z.strictObject({ match: route.shape.match, none: z.literal(true).describe('Alerts that match get no report') })

export const reports = z
  .strictObject({
    routes: z
      .array(z.union([route, noReport], '{tracker: NAME, project: PROJECT} or {none: true}, with match or without'))
      .default([])
      .describe('Where the reports of alerts are opened: the first that matches counts; without one, no report is written'),
    recurrence: z
      .enum(['reopen', 'comment', 'new'])
      .default('reopen')
      .describe('A trouble whose report was closed comes back: the report is opened again, only commented on, or another one is made'),
    resolved: z
      .enum(['comment', 'close', 'quiet'])
      .default('comment')
      .describe('When a trouble is resolved: say so, say so and close the report, or nothing'),
  })
  .prefault({})
  .describe('The bug reports that alerts lead to')

export const githubTracker = z.strictObject({
  kind: z.literal('github').describe('Issues of GitHub or a GitHub Enterprise Server'),
  url: httpUrl.default('https://api.github.com').describe('The REST API; of an Enterprise Server https://HOST/api/v3'),
  token: secret.optional().describe('A fine-grained token with Issues read and write; or app'),
  app: z
    .strictObject({
      id: z.union([z.number().int().positive(), z.string().min(1)]).describe('App id or client id'),
      privateKey: secret.describe('The private key, PEM'),
      installation: z.number().int().positive().describe('Id of the installation'),
    })
    .optional()
    .describe('A GitHub App with Issues read and write; or token'),
})

export const gitlabTracker = z.strictObject({
  kind: z.literal('gitlab').describe('Issues of GitLab'),
  url: httpUrl.default('https://gitlab.com').describe('The GitLab'),
  token: secret.describe('Access token of a project, group or user, scope api, role Reporter or more'),
})

export const jiraTracker = z.strictObject({
  kind: z.literal('jira').describe('Issues of Jira: Cloud, where email is given, else Server or Data Center'),
  url: httpUrl.describe('The site, such as https://example.atlassian.net'),
  email: z.string().min(3).optional().describe('Cloud: the account that the API token belongs to'),
  api: httpUrl
    .optional()
    .describe('Cloud, for a token with scopes, as service accounts have: https://api.atlassian.com/ex/jira/CLOUD_ID; default: the site'),
  token: secret.describe('Cloud: an API token. Server or Data Center: a personal access token'),
})

const adoptedFrom = z.strictObject({
  cluster: name.optional().describe('The cluster; may be left out where there is one'),
  namespaces: z
    .array(z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'the name of a namespace; patterns are not for here, for each is watched'))
    .min(1)
    .describe('Its pods are watched'),
  principal: z.string().min(1).max(100).describe('To the policy, who typed the container is this principal'),
  maxAgeSeconds: z.number().int().min(60).max(86_400).default(3600).describe('A container that began longer ago is left alone'),
  listenSeconds: z.number().int().min(10).max(7200).default(600).describe('How long a container is listened to that does not end'),
})

export const adoption = z
  .array(adoptedFrom)
  .default([])
  .describe(
    'Whose diagnostic containers are taken in, too, that people add by hand (kubectl debug --image=…): their logs are stored, bundled and linked like those of a request of the principal. On Node only; empty: nobody’s',
  )
