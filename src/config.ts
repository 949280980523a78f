import { z } from '@hono/zod-openapi'
import { bytesOf } from './config-facts.ts'
import { adoption, githubTracker, gitlabTracker, intake, jiraTracker, reports, source } from './config-intake.ts'
import { httpUrl, name, path, patterns, secret } from './config-values.ts'
import { profiles } from './diagnosis/diagnosis.ts'

export type { SecretRef } from './config-values.ts'

/**
 * The configuration, one YAML file. A host reads it and parses it with this schema once; wrong configuration fails at start,
 * naming the key and what was expected. The descriptions here are those of docs/config.schema.json.
 */

/** Bytes as Kubernetes writes them: `16Mi`, `1Gi`, `500k` or a number. */
const quantity = z.union(
  [z.number().int().nonnegative(), z.string().regex(/^\d+(\.\d+)?(k|Ki|M|Mi|G|Gi)?$/, 'a quantity such as 16Mi')],
  'a quantity such as 16Mi',
)

const binding = z.string().regex(/^[A-Za-z_]\w*$/, 'the name of a binding of wrangler.toml, such as CLUSTER')

/** A bearer token goes there: never over plain HTTP, but on this machine. */
function isApiServer(text: string): boolean {
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  return !(username || password || search || hash) && (protocol === 'https:' || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
}

const cluster = z.union(
  [
    z.strictObject({
      url: httpUrl
        .refine(isApiServer, 'an https URL of host, port and path alone, such as https://kubernetes.example:6443')
        .describe('The API server'),
      token: secret.describe('Bearer token of a service account'),
      serviceAccount: z
        .string()
        .regex(/^[a-z0-9][-a-z0-9]*\/[a-z0-9][-.a-z0-9]*$/, 'namespace/name')
        .optional()
        .describe('namespace/name: then the token is used for nothing but to ask for short-lived tokens of this service account (TokenRequest)'),
      binding: binding.optional().describe('On Workers the VPC service of wrangler.toml that requests go through; default: the public network'),
    }),
    z.strictObject({
      kubeconfig: path.describe('A kubeconfig file'),
      context: z.string().min(1).optional().describe('A context of the kubeconfig; default: its current one'),
    }),
    z.strictObject({ inCluster: z.literal(true).describe('The cluster that the service runs in, by its service account') }),
    z.strictObject({
      emulator: z.strictObject({ directory: path.describe('Where it keeps its state') }).describe('No cluster, but local processes: for the demo'),
    }),
  ],
  '{kubeconfig: PATH}, {inCluster: true}, {url: URL, token: SECRET} or {emulator: {directory: PATH}}',
)

const urlExpiresSeconds = z.number().int().min(30).max(86_400).default(300).describe('How long the download URL of a bundle works')

const store = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('files').describe('A directory'),
    directory: path.describe('Where bundles and logs are kept; for one process'),
  }),
  z.strictObject({
    kind: z.literal('s3').describe('AWS S3, or a server that speaks it and knows conditional writes (If-None-Match)'),
    endpoint: httpUrl.optional().describe('URL of the server; default: that of AWS'),
    region: z.string().min(1).default('us-east-1').describe('The region'),
    bucket: z.string().min(1).describe('The bucket; it must exist'),
    prefix: z.string().default('').describe('Put before every key, as in "autodiagnose/"'),
    forcePathStyle: z.boolean().default(true).describe('endpoint/bucket/key instead of bucket.endpoint/key'),
    accessKeyId: secret.optional().describe('Without keys the default chain of AWS is used: environment, web identity, profile, instance'),
    secretAccessKey: secret.optional().describe('Goes with accessKeyId'),
    urlExpiresSeconds,
  }),
  z.strictObject({
    kind: z.literal('r2').describe('On Workers: the R2 bucket of a binding'),
    binding: binding.default('BUCKET').describe('The binding of wrangler.toml'),
    prefix: z.string().default('').describe('Put before every key, as in "autodiagnose/"'),
    downloads: z
      .strictObject({
        endpoint: httpUrl.describe("R2's S3 API: https://ACCOUNT_ID.r2.cloudflarestorage.com"),
        bucket: z.string().min(1).describe('The bucket that the binding names'),
        accessKeyId: secret.describe('Of an R2 API token that may read the bucket'),
        secretAccessKey: secret.describe('Goes with accessKeyId'),
        urlExpiresSeconds,
      })
      .optional()
      .describe('With it, bundles are downloaded from R2 by an expiring URL; without it, through the Worker'),
  }),
])

const tracker = z.discriminatedUnion('kind', [
  githubTracker,
  gitlabTracker,
  jiraTracker,
  z.strictObject({
    kind: z.literal('redmine').describe('Notes on issues of a Redmine'),
    url: httpUrl.describe('The Redmine'),
    apiKey: secret.describe('The API key of a user who may add notes, and for alerts add and edit issues'),
  }),
  z.strictObject({
    kind: z.literal('standard-webhook').describe('A POST that is signed as Standard Webhooks says'),
    url: httpUrl.describe('Where to'),
    secret: secret.describe('whsec_ and base64, as the receiver gave it'),
  }),
  z.strictObject({
    kind: z.literal('local').describe('A report page in a directory: for the demo'),
    directory: path.describe('The directory'),
  }),
])

const principal = z.strictObject({
  name: z.string().min(1).max(100).describe('Who it is; stands in bug reports'),
  tokenHashes: z
    .array(z.string().regex(/^sha256:[0-9a-f]{64}$/, '"sha256:" and 64 hex digits, as "npm run token" prints them'))
    .min(1)
    .describe('Hashes of the bearer tokens; "npm run token -- NAME" makes a token and its hash. Two, while a token is replaced'),
})

const image = z.string().regex(/^[a-z0-9][\w.:/@-]*$/i, 'an image such as registry.example/autodiagnose:1, or one with its digest')

const toolset = z.strictObject({
  image: image.describe('Its image; pin it by digest in production'),
  profile: z
    .enum(profiles)
    .default('auto')
    .describe('The security profile that its tools need; used where neither the request nor the pod names one'),
})

const rule = z.strictObject({
  principals: patterns.min(1).describe('Names of principals. In all lists of a rule * stands for any characters'),
  clusters: patterns.min(1).default(['*']).describe('Names of clusters'),
  namespaces: patterns.min(1).describe('Namespaces; kube-system is denied to everyone'),
  profiles: z.array(z.enum(profiles)).min(1).default(['auto', 'restricted', 'baseline']).describe('Security profiles of the container'),
  checks: patterns
    .default(['*'])
    .describe(
      'Checks that may be asked for: http, or http=http://*.example:8080/* to bound the parameter; default for those that run unasked. In the pattern of a URL, scheme, host, port and path are matched each by their own part',
    ),
  toolsets: patterns.min(1).default(['*']).describe('Toolsets that may be used; core is diagnosis.image'),
  reports: patterns.default([]).describe('Bug reports that may be written to, as tracker:issue; tracker:* for all of one tracker'),
  operator: z.boolean().default(false).describe('May pause and resume injection'),
})

export const configSchema = z.strictObject({
  publicUrl: httpUrl.transform((url) => url.replace(/\/+$/, '')).describe('Where people and bug reports reach this service; links begin with it'),
  listen: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1').describe('Address to listen on; 0.0.0.0 for all'),
      port: z.number().int().min(0).max(65_535).default(8080).describe('0 takes a free one'),
    })
    .prefault({})
    .describe('Where the service listens'),
  state: path.default('./state').describe('The directory of the embedded database; one process at a time'),
  clusters: z
    .record(name, cluster)
    .refine((map) => Object.keys(map).length > 0, 'at least one cluster')
    .describe('The clusters by name; requests name one where there are several'),
  store: store.describe('Where bundles and logs are kept'),
  trackers: z.record(name, tracker).default({}).describe('The bug trackers by name; a report is named tracker:issue'),
  sources: z
    .record(name, source)
    .default({})
    .describe(
      'Webhooks by name, at /v1/webhooks/NAME. To the policy each is a principal of its name; a comment counts as the principal that its author is mapped to',
    ),
  intake,
  adoption,
  reports,
  principals: z.array(principal).default([]).describe('Who may call'),
  policy: z
    .array(rule)
    .default([])
    .describe('The permissions. A request is allowed if some rule matches it in every dimension; without a rule nothing is'),
  diagnosis: z
    .strictObject({
      image: image.default('localhost/autodiagnose:1').describe('The diagnostic image, of the toolset core; pin it by digest in production'),
      toolsets: z
        .record(name, toolset)
        .refine((map) => !Object.hasOwn(map, 'core'), 'other names than core, which is diagnosis.image')
        .default({})
        .describe('Images with more tools, by name: a request, or the annotation autodiagnose.dev/toolset of a pod, chooses one'),
      imagePullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent').describe('As in Kubernetes'),
      extraChecks: z.array(name).default([]).describe("Names of checks that your own image, or a pod's volume autodiagnose-checks, adds to ours"),
      deadlineSeconds: z.number().int().min(5).max(1800).default(60).describe('How long the container may run; it ends itself then'),
      startDeadlineSeconds: z.number().int().min(1).max(600).default(60).describe('After this a container that did not start is given up'),
      outputBytes: quantity
        .refine(
          (bytes) => !quantity.safeParse(bytes).success || (bytesOf(bytes) >= 4096 && bytesOf(bytes) <= 1024 ** 3),
          'a quantity from 4Ki to 1Gi',
        )
        .default('8Mi')
        .describe('What the container may print, 4Ki to 1Gi; the stored log is cut there too'),
      containersPerPod: z
        .number()
        .int()
        .min(1)
        .max(100)
        .default(10)
        .describe('Ephemeral containers that a pod may have, whoever added them; they can never be removed'),
      admissionPolicy: z
        .enum(['warn', 'required', 'unchecked'])
        .default('warn')
        .describe(
          'Where no admission policy keeps this service from adding foreign images and commands to a pod (infra/kubernetes has one): say so, inject nothing, or do not ask',
        ),
      concurrent: z.number().int().min(1).max(200).default(20).describe('Diagnoses at work at once; more wait'),
    })
    .prefault({})
    .describe('The diagnostic container'),
  harm: z
    .strictObject({
      minHeadroom: quantity.default('16Mi').describe('Free memory that a pod must have below its limits'),
      unknownHeadroom: z
        .enum(['evidence', 'inject'])
        .default('evidence')
        .describe('Where the headroom of a pod with memory limits cannot be known: only gather evidence, or inject all the same'),
      perNode: z.number().int().min(1).max(100).default(3).describe('Diagnostic containers at work at once on one node; more wait for a minute'),
      pauseAfter: z.number().int().min(1).default(2).describe('Injection pauses after this many harmed targets, until an operator resumes it'),
      paused: z.boolean().default(false).describe('Nothing is injected while this is on'),
    })
    .prefault({})
    .describe('How the diagnosed pod is kept from harm'),
  evidence: z
    .strictObject({
      logs: z
        .enum(['quoted', 'tail', 'none'])
        .default('quoted')
        .describe('Application log lines in the bundle: those that a finding quotes, whole tails, or none; always redacted'),
      tailLines: z.number().int().min(1).max(10_000).default(200).describe('Lines of a log that are looked at'),
      binaryArtifacts: z.boolean().default(false).describe('Store binary artifacts; they are not redacted, and marked so'),
    })
    .prefault({})
    .describe('What goes into the bundle'),
  redaction: z
    .strictObject({
      files: z
        .array(path)
        .default([])
        .describe('Redactor files of Troubleshoot (troubleshoot.sh/v1beta2, kind Redactor), used after the built-in rules'),
    })
    .prefault({})
    .describe('What is taken out of everything that is stored or sent'),
})

export type ConfigInput = z.input<typeof configSchema>
/** The parsed configuration. Secrets are still references; the host has read what they name. */
export type Config = Readonly<z.output<typeof configSchema>>
