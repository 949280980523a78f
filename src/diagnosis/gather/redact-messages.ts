import type { RawPod } from '../../ports/cluster/cluster.ts'
import type { Redactor } from '../redact/redactor.ts'
import { paths } from './readings.ts'

/**
 * The pod with the messages of its status redacted, each as the text that it is: what a container said at its end may have many lines. Findings
 * are made of these; in the middle of a sentence, or cut, a secret is harder to tell.
 */
export function redactMessages(pod: RawPod, redactor: Pick<Redactor, 'text'>): RawPod {
  const path = paths.pods(pod.metadata.namespace)
  const status: RawPod['status'] = JSON.parse(JSON.stringify(pod.status), (key, value: unknown) =>
    key === 'message' && typeof value === 'string' ? redactor.text(path, value).text : value,
  )
  return { ...pod, status }
}
