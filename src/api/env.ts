import type { OpenAPIHono } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { Principal } from '../diagnosis/admit/authenticate.ts'

/** What the middleware of the app leaves for its handlers. */
export interface Env {
  Variables: { principal: Principal; requestId: string }
}

export type App = OpenAPIHono<Env>
export type AppContext = Context<Env>
