/** One alert as a webhook delivered it, whatever the sender; plain text, not yet redacted. */
export interface Alert {
  /** Name of the source in the configuration. */
  readonly source: string
  /** Names the alert for as long as its labels are the same. */
  readonly fingerprint: string
  readonly status: 'firing' | 'resolved'
  /** RFC 3339 in UTC, milliseconds. With the fingerprint it names one firing of the alert. */
  readonly startsAt: string
  /** Of a resolved alert. */
  readonly endsAt?: string
  /** The name of the rule. */
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  /** Runbook, rule, dashboard: http and https URLs only. */
  readonly links: readonly { readonly label: string; readonly url: string }[]
}

/**
 * What a delivery is known by: `source`, fingerprint and start. Never the group, which changes with its members; so the members of a pair
 * that deliver the same firing twice deliver one alert.
 */
export async function alertKey({ source, fingerprint, startsAt }: Pick<Alert, 'source' | 'fingerprint' | 'startsAt'>): Promise<string> {
  return `alert-${(await sha256(JSON.stringify([source, fingerprint, startsAt]))).slice(0, 40)}`
}

/** The id of a trouble: `tr-` and 20 hexadecimal digits of the digest of cluster, namespace, workload and the alert's name. */
export async function troubleId(trouble: {
  readonly cluster: string
  readonly namespace: string
  readonly workload: string
  readonly name: string
}): Promise<string> {
  const { cluster, namespace, workload, name } = trouble
  return `tr-${(await sha256(JSON.stringify([cluster, namespace, workload, name]))).slice(0, 20)}`
}

async function sha256(text: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
