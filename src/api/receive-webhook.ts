import { createRoute, z } from '@hono/zod-openapi'
import { bodyLimit } from 'hono/body-limit'
import type { Deps } from '../deps.ts'
import { keepAlerts } from '../intake/keep-alerts.ts'
import { readDelivery } from '../intake/read-delivery.ts'
import { hono, routes } from '../routes.ts'
import { decodeText, parseJson } from './body.ts'
import type { App } from './env.ts'
import { Problem, problemResponses } from './problem.ts'

/** A group of some thousand alerts; more than that, senders split. */
export const maxDeliveryBytes = 4 * 1024 ** 2

const route = createRoute({
  method: 'post',
  path: routes.webhook,
  summary: 'Take what a webhook delivers',
  description:
    'Alerts of Alertmanager, Grafana, PagerDuty or whatever signs as Standard Webhooks says; comments and labels of GitHub, GitLab and Jira. The name is that of a configured source, which has its own form and its own authentication. Answered as soon as it is stored; the list of what webhooks delivered tells what became of it.',
  security: [],
  request: { params: z.object({ id: z.string().openapi({ description: 'The name of the source.', example: 'alertmanager' }) }) },
  responses: {
    202: {
      description: 'Stored, or known already',
      content: {
        'application/json': {
          schema: z.object({
            received: z.number().openapi({ description: 'Alerts or commands that were not known.' }),
            repeated: z.number().openapi({ description: 'Those that were known, and changed nothing.' }),
            notes: z.array(z.string()).openapi({ description: 'What is remarkable about the delivery.' }),
          }),
        },
      },
    },
    ...problemResponses('malformed-request', 'bad-signature', 'unknown-source', 'body-too-large', 'not-a-delivery', 'unavailable'),
  },
})

/** Before the middleware that asks for a token: each source has credentials of its own. */
export function receiveWebhook(app: App, deps: Deps): void {
  app.openAPIRegistry.registerPath(route)
  app.post(
    hono(routes.webhook),
    bodyLimit({
      maxSize: maxDeliveryBytes,
      onError: () => Promise.reject(new Problem('body-too-large', `A delivery has at most ${maxDeliveryBytes} bytes; have the sender split it`)),
    }),
    async (c) => {
      const name = c.req.param('id') ?? ''
      const source = Object.hasOwn(deps.config.sources, name) ? deps.config.sources[name] : undefined
      if (!source) throw new Problem('unknown-source', `No source "${name.slice(0, 100)}" is configured`)
      const body = new Uint8Array(await c.req.raw.arrayBuffer())
      const verified = await deps.verifyWebhook(name, { headers: c.req.raw.headers, body })
      if (verified.kind === 'rejected') {
        deps.log('warn', 'A webhook was refused', { source: name, why: verified.message })
        throw new Problem(verified.status === 400 ? 'malformed-request' : 'bad-signature', verified.message)
      }
      c.set('principal', { name, via: 'token' })
      const delivery = readDelivery(
        name,
        source,
        { body: bodyOf(body, name, deps), headers: c.req.raw.headers, ...(verified.id === undefined ? {} : { id: verified.id }) },
        deps.clock.now(),
      )
      if (!delivery.ok) {
        deps.log('warn', 'A webhook delivered what it should not', { source: name, errors: delivery.errors })
        throw new Problem('not-a-delivery', delivery.errors.map(({ field, message }) => `${field}: ${message}`).join('; '), {
          errors: delivery.errors,
        })
      }
      const { alerts, notes } = delivery.value
      for (const note of notes) deps.log('info', 'Of a delivery', { source: name, note })
      const { fresh, repeated } = await keepAlerts(alerts, deps)
      return c.json({ received: fresh, repeated, notes }, 202)
    },
  )
}

function bodyOf(body: Uint8Array<ArrayBuffer>, source: string, { log }: Pick<Deps, 'log'>): unknown {
  try {
    return parseJson(decodeText(body.buffer))
  } catch (error) {
    log('warn', 'A webhook delivered what cannot be read', { source, why: error instanceof Error ? error.message : String(error) })
    throw error
  }
}
