import type { Finding } from '../diagnosis.ts'
import type { PodContainer } from './containers.ts'
import { eventsOf, type PodEvent, words } from './events.ts'
import { evidenceFinding } from './evidence-finding.ts'
import { plainWords } from './runtime-words.ts'

/** What a runtime or registry says, what that means as the end of a sentence, and what to do. The first that fits counts. */
const verdicts: readonly (readonly [RegExp, string, string])[] = [
  [
    /no such host|lookup \S+.*(?:server misbehaving|i\/o timeout)|name resolution/i,
    'the name of its registry cannot be resolved',
    'Compare the host in the name of the image with the registry, and look at the DNS of the node',
  ],
  [
    /toomanyrequests|too many requests|\b429\b|rate limit/i,
    'its registry limits how often it is asked',
    'Use imagePullSecrets of an account, or a mirror',
  ],
  [
    /server gave HTTP response to HTTPS client/i,
    'its registry speaks no TLS',
    'Give the registry a certificate, or configure the runtime of the node for it',
  ],
  [
    /x509|certificate|tls: /i,
    'the certificate of its registry is not accepted',
    'Compare name, validity and issuer of its certificate with what the node trusts',
  ],
  [
    /pull access denied|insufficient_scope/i,
    'there is no such image in the registry, or access to it is denied',
    'Compare its name with the registry, and see imagePullSecrets',
  ],
  [
    /unauthorized|authentication required|no basic auth|denied|forbidden|\b40[13]\b/i,
    'its registry denies access',
    'See imagePullSecrets of the pod and of its service account',
  ],
  [
    /no match(?:ing manifest)? for (?:platform|linux)|no matching manifest|no child with platform/i,
    'there is none for the platform of the node',
    'Build the image for the CPU architecture of the node, or select other nodes',
  ],
  [
    /not found|manifest unknown|name unknown|does not exist|\b404\b/i,
    'there is no such image or tag in its registry: not found',
    'Compare name and tag with the registry',
  ],
  [/connection refused/i, 'its registry refuses connections', 'See whether the registry runs, and the host and port in the name of the image'],
  [/no route to host|network is unreachable/i, 'its registry cannot be reached from the node', 'Look at the routes and firewalls of the node'],
  [/i\/o timeout|deadline exceeded|timeout|timed out/i, 'its registry does not answer in time', 'See whether the node reaches the registry'],
  [/no space left/i, 'the disk of the node is full', 'Free space on the node'],
  [/QPS exceeded/i, 'the kubelet pulls too many at once', 'It goes on by itself'],
]

const reasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'ImageInspectError', 'SignatureValidationFailed'])
const slowMs = 120_000

/** A container that waits for its image; undefined where it does not. Times in milliseconds. */
export function imageFinding(container: PodContainer, events: readonly PodEvent[], now: number): Finding | undefined {
  const { name, what, spec, status } = container
  const { reason = '', message = '' } = status?.state?.waiting ?? {}
  const image = spec?.image || status?.image || ''
  if (reason === 'InvalidImageName') {
    const title = `${what} does not start: the name of its image ${image} is not valid: ${plainWords(message)}`
    return evidenceFinding('image', `${name}/name`, 'error', title, {
      cause: 'Part of the name is what no image has: upper case, a blank, or a tag of another form',
      next: 'A name has a registry, a path in lower case, and a tag: registry.example/shop:1.2',
    })
  }
  if (reason === 'ErrImageNeverPull') {
    const title = `${what} does not start: its image ${image} is not on the node and imagePullPolicy is Never (${reason})`
    const next = 'Bring the image onto the node, or set imagePullPolicy to IfNotPresent'
    return evidenceFinding('image', `${name}/never-pull`, 'error', title, {
      evidence: message,
      cause: 'The kubelet may not pull it, and nobody else has put it there',
      next,
    })
  }
  const own = eventsOf(events, name)
  if (!reasons.has(reason)) return reason === 'ContainerCreating' || reason === '' ? slowFinding(container, own, image, now) : undefined
  // Before Kubernetes 1.31 the status did not say why, once the kubelet backs off.
  const failed = own.filter((event) => event.reason === 'Failed' && /pull/i.test(event.message ?? ''))
  const told = [message, ...failed.map((event) => event.message ?? '').reverse()]
  const [said, verdict] = firstVerdict(told) ?? [message, undefined]
  const title = `${what} does not start: its image ${image} cannot be pulled, ${verdict ? `${verdict[1]}: ` : `${reason}: `}${shortened(said, image)}`
  return evidenceFinding('image', `${name}/pull`, 'error', title, {
    evidence: [message, words(failed)].filter(Boolean).join('\n'),
    ...(verdict
      ? { cause: sentence(verdict[1]), next: verdict[2] }
      : {
          cause: 'The runtime of the node does not get the image from its registry',
          next: 'Compare name and tag with the registry, and see imagePullSecrets',
        }),
  })
}

function firstVerdict(told: readonly string[]): readonly [string, (typeof verdicts)[number]] | undefined {
  for (const text of told) {
    const verdict = verdicts.find(([pattern]) => pattern.test(text))
    if (verdict) return [text, verdict]
  }
  return undefined
}

/** Of the chain of what failed the last links: those before repeat the name of the image. */
function shortened(message: string, image: string): string {
  const plain = plainWords(
    message.replace(/^Back-off pulling image "[^"]*"(?:: ErrImagePull)?:? ?/, '').replace(/^Failed to pull image "[^"]*": /, ''),
  )
  const last = plain.replace(/^.*failed to (?:resolve reference|do request|copy|authorize|fetch[^:]*)[^:]*(?:"[^"]*")?: /, '')
  return last || plain || `pulling ${image} failed`
}

function slowFinding({ name, what }: PodContainer, own: readonly PodEvent[], image: string, now: number): Finding | undefined {
  const last = own.findLast(({ reason = '' }) => ['Pulling', 'Pulled', 'Failed'].includes(reason))
  const begun = Date.parse(last?.lastTimestamp ?? last?.eventTime ?? '')
  if (last?.reason !== 'Pulling' || Number.isNaN(begun) || now - begun < slowMs) return undefined
  const title = `${what} has waited ${Math.floor((now - begun) / 60_000)} min for its image ${image} to be pulled`
  return evidenceFinding('image', `${name}/slow`, 'warn', title, {
    evidence: words([last]),
    cause: 'The image is large, its registry is slow, or the node waits for other images first',
    next: 'Look at the size of the image, and at the network of the node',
  })
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}
