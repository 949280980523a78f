import { publicUrl, type Setup, tokens } from '../app/setup.ts'

/** What a browser asks for. */
export const browser = { accept: 'text/html,application/xhtml+xml' }

/** Logs in as a browser does, and returns the Cookie header of later requests. */
export async function logIn(
  { app }: Pick<Setup, 'app'>,
  token = tokens.alice,
  next = '/',
): Promise<{ cookie: string; location: string | null; setCookie: string }> {
  const response = await app.request('/login', {
    method: 'POST',
    headers: { ...browser, 'content-type': 'application/x-www-form-urlencoded', origin: publicUrl },
    body: new URLSearchParams({ token, next }).toString(),
  })
  if (response.status !== 303) throw new Error(`Login answers ${response.status}`)
  const setCookie = response.headers.get('set-cookie') ?? ''
  return { cookie: setCookie.split(';')[0] ?? '', location: response.headers.get('location'), setCookie }
}
