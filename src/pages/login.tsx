import { deleteCookie, setCookie } from 'hono/cookie'
import { requireSameSite } from '../api/access.ts'
import { readBody } from '../api/body.ts'
import type { App, AppContext } from '../api/env.ts'
import type { Deps } from '../deps.ts'
import { cookieOf, findToken } from '../diagnosis/admit/authenticate.ts'
import { closeSession, openSession, sessionCookie, sessionSeconds } from '../diagnosis/admit/sessions.ts'
import { routes } from '../routes.ts'
import { answerPage, basePath, frameOf, safeNext } from './frame.ts'
import { LoginPage } from './login-page.tsx'

type LoginDeps = Pick<Deps, 'config' | 'records' | 'clock' | 'log'>

/** A token, entered once, for a session in a cookie that scripts cannot read; then back to where one came from. */
export function login(app: App, deps: LoginDeps): void {
  const { config } = deps
  const { publicUrl } = config
  const base = basePath(publicUrl)
  const cookie = sessionCookie(publicUrl)
  // Lax and not Strict: the link in a bug report leads here from another site, and the session shall come along.
  const attributes = { path: '/', httpOnly: true, sameSite: 'Lax', secure: publicUrl.startsWith('https:') } as const

  app.get(routes.login, (c) => {
    const next = safeNext(c.req.query('next'), base)
    return answerPage(c, <LoginPage frame={frameOf(c, publicUrl)} next={next} />)
  })

  app.post(routes.login, async (c) => {
    requireSameSite(c.req.raw, publicUrl)
    const { token, next } = await readFields(c)
    const found = await findToken(config.principals, token.trim())
    if (!found) {
      deps.log('warn', 'A login failed', { requestId: c.get('requestId') })
      return answerPage(
        c,
        <LoginPage frame={frameOf(c, publicUrl)} next={safeNext(next, base)} complaint="Nobody has this token. Look whether all of it was copied." />,
        401,
      )
    }
    setCookie(c, cookie, await openSession(found, deps), { ...attributes, maxAge: sessionSeconds })
    return c.redirect(safeNext(next, base), 303)
  })

  app.post(routes.logout, async (c) => {
    requireSameSite(c.req.raw, publicUrl)
    const value = cookieOf(c.req.raw, cookie)
    if (value !== undefined) await closeSession(value, deps)
    deleteCookie(c, cookie, attributes)
    return c.redirect(base + routes.login, 303)
  })
}

async function readFields(c: AppContext): Promise<{ token: string; next: string }> {
  const body = await readBody(c.req.raw)
  const field = (name: string) => {
    const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined
    return typeof value === 'string' ? value : ''
  }
  return { token: field('token'), next: field('next') }
}
