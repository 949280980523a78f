import { html } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { AppContext } from '../api/env.ts'
import type { Frame } from './layout.tsx'

/** The path under which a proxy shows the service: `''` at the root of a host. */
export function basePath(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '')
}

/** `who` is absent where nobody is logged in, or nobody was asked. */
export function frameOf(c: AppContext, publicUrl: string): Frame {
  return { base: basePath(publicUrl), who: c.get('principal')?.name }
}

/** All text in the page was escaped when it was made. */
export async function answerPage(
  c: AppContext,
  page: HtmlEscapedString | Promise<HtmlEscapedString>,
  status: ContentfulStatusCode = 200,
): Promise<Response> {
  c.header('cache-control', 'no-store')
  return c.html(await html`<!doctype html>${page}`, status)
}

/** Whether a browser shows the answer as a page; what scripts and curl ask for is not. */
export function wantsPage(request: Request): boolean {
  return (request.headers.get('accept') ?? '').includes('text/html')
}

/** Whether the page is asked for without its log, by `Prefer: return=minimal`: https://www.rfc-editor.org/rfc/rfc7240#section-4.2 */
export function wantsMinimal(request: Request): boolean {
  return /(^|[,;])\s*return\s*=\s*"?minimal\b/i.test(request.headers.get('prefer') ?? '')
}

/**
 * Where to go on after login: a path of ours, whatever was given. What a browser would read as another host, as in `//host`
 * or `/\host`, leads home.
 */
export function safeNext(next: string | null | undefined, base: string): string {
  const own = 'http://own.invalid'
  const url = next?.startsWith('/') ? URL.parse(next, own) : null
  if (!url || url.origin !== own || !`${url.pathname}/`.startsWith(`${base}/`) || url.pathname.startsWith('//')) return `${base}/`
  return `${url.pathname}${url.search}`
}
