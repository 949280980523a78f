import { z } from '@hono/zod-openapi'
import { type AlertRecord, alertOutcomes, suppressions } from '../ports/records/intake.ts'
import { urlsOf } from '../routes.ts'

const text = z.string()
const time = z.string().openapi({ format: 'date-time' })

/** What a webhook delivered, as the API shows it. */
export const alertSchema = z
  .object({
    id: text.openapi({ example: 'al-01jd2zk8w0q7x2m4n6p8' }),
    source: text,
    name: text.openapi({ description: 'Of the alert; /diagnose for a command.' }),
    fingerprint: text,
    startsAt: time,
    receivedAt: time,
    resolvedAt: time.optional(),
    labels: z.record(text, text),
    annotations: z.record(text, text),
    links: z.array(z.object({ label: text, url: text })),
    state: z.enum(['received', 'settled']),
    cluster: text.optional(),
    namespace: text.optional(),
    workload: text.optional().openapi({ example: 'deployment/cart' }),
    pod: text.optional(),
    trouble: text.optional(),
    outcome: z.enum(alertOutcomes).optional(),
    suppression: z.enum(suppressions).optional(),
    message: text.optional().openapi({ description: 'Why, and what to do.' }),
    diagnosis: text.optional().openapi({ description: 'The diagnosis that was started for it, or that stands for it.' }),
    diagnosisUrl: text.optional(),
  })
  .openapi('Alert')

export function alertView({ key: _, dueAt: __, status: ___, endsAt: ____, ...alert }: AlertRecord, publicUrl: string): z.output<typeof alertSchema> {
  const { labels, annotations, links, diagnosis } = alert
  return {
    ...alert,
    labels: { ...labels },
    annotations: { ...annotations },
    links: links.map((link) => ({ ...link })),
    ...(diagnosis === undefined ? {} : { diagnosisUrl: urlsOf(publicUrl, diagnosis).self }),
  }
}
