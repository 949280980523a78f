import { routes } from '../routes.ts'
import type { App } from './env.ts'

const tokenScheme = { type: 'http', scheme: 'bearer', description: 'A token whose hash the configuration holds.' } as const

/** The document is made of the schemas that stand beside each route. */
export function openapiDocument(app: App, publicUrl: string) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Autodiagnose',
      version: '1',
      description: 'Diagnoses live Kubernetes pods with a non-interactive ephemeral container and links what it found to the bug report.',
    },
    servers: [{ url: publicUrl }],
  })
}

export function openapi(app: App, publicUrl: string): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', tokenScheme)
  let document: ReturnType<typeof openapiDocument> | undefined
  app.get(routes.openapi, (c) => {
    document ??= openapiDocument(app, publicUrl)
    return c.json(document)
  })
}
