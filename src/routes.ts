/** Every URL of ours, written once. `{id}` is the form of OpenAPI; {@link hono} gives that of the router. */
export const routes = {
  diagnoses: '/v1/diagnoses',
  diagnosis: '/v1/diagnoses/{id}',
  log: '/v1/diagnoses/{id}/log',
  bundle: '/v1/diagnoses/{id}/bundle',
  preflight: '/v1/preflight',
  injection: '/v1/injection',
  webhook: '/v1/webhooks/{id}',
  intake: '/v1/intake',
  openapi: '/openapi.json',
  docs: '/docs',
  healthz: '/healthz',
  readyz: '/readyz',
  problems: '/problems',
  problem: '/problems/{id}',
  home: '/',
  page: '/diagnoses/{id}',
  intakePage: '/intake',
  cancel: '/diagnoses/{id}/cancel',
  login: '/login',
  logout: '/logout',
  style: '/assets/style.css',
  script: '/assets/live.js',
  icon: '/assets/icon.svg',
} as const

/** All paths of the API, which need credentials. */
export const api = '/v1/*'

/** The path as Hono's router takes it: `/diagnoses/:id`. */
export function hono(route: string): string {
  return route.replaceAll('{id}', ':id')
}

/** The path with its id filled in. */
export function pathOf(route: string, id: string): string {
  return route.replace('{id}', encodeURIComponent(id))
}

/** Where people and programs find a diagnosis. `page` is for people and asks them to log in; it is the link for bug reports. */
export function urlsOf(publicUrl: string, id: string): Urls {
  const at = (route: string) => `${publicUrl}${pathOf(route, id)}`
  return { self: at(routes.diagnosis), page: at(routes.page), log: at(routes.log), bundle: at(routes.bundle) }
}

/** Where people find what became of the alerts of a trouble. */
export function urlsOfTrouble(publicUrl: string, trouble: string): { readonly page: string } {
  return { page: `${publicUrl}${routes.intakePage}?${new URLSearchParams({ trouble })}` }
}

export interface Urls {
  readonly self: string
  readonly page: string
  readonly log: string
  readonly bundle: string
}
