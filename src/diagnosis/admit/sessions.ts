import type { Deps } from '../../deps.ts'
import { hashToken } from './token-hash.ts'

/**
 * Sessions of browsers. The cookie holds the principal's name and 256 bits of chance; the records hold the hash of these
 * bits, so that whoever reads the database gets no cookie out of it. A session ends with its time, at logout, and with
 * the token that it was opened with.
 */
interface Session {
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly tokenHash: string
}

type Sessions = Readonly<Record<string, Session>>
type SessionDeps = Pick<Deps, 'config' | 'records' | 'clock'>

export const sessionSeconds = 24 * 60 * 60
/** The oldest one ends when there are more. */
export const maxSessions = 50

/** The name of the cookie. Over https browsers hold `__Host-` to what it says: https://developer.mozilla.org/docs/Web/HTTP/Reference/Headers/Set-Cookie */
export function sessionCookie(publicUrl: string): string {
  return publicUrl.startsWith('https:') ? '__Host-autodiagnose' : 'autodiagnose'
}

/** Opens a session and returns the value of its cookie. */
export async function openSession(who: { readonly principal: string; readonly tokenHash: string }, deps: SessionDeps): Promise<string> {
  const chance = hex(crypto.getRandomValues(new Uint8Array(32)))
  const key = await hashToken(chance)
  const now = deps.clock.now()
  await deps.records.changeValue<Sessions>(rowOf(who.principal), (before = {}) => {
    const live = Object.entries(before).filter(([, session]) => session.expiresAt > now)
    const kept = live.sort(([, a], [, b]) => b.expiresAt - a.expiresAt).slice(0, maxSessions - 1)
    return Object.fromEntries([[key, { expiresAt: now + sessionSeconds * 1000, tokenHash: who.tokenHash }], ...kept])
  })
  return `${hex(new TextEncoder().encode(who.principal))}.${chance}`
}

/** The principal whose session it is, or undefined. */
export async function findSession(cookie: string, deps: SessionDeps): Promise<string | undefined> {
  const { principal, chance } = read(cookie)
  const configured = deps.config.principals.find(({ name }) => name === principal)
  if (!configured) return undefined
  const sessions = (await deps.records.getValue<Sessions>(rowOf(configured.name))) ?? {}
  const key = await hashToken(chance)
  const session = Object.hasOwn(sessions, key) ? sessions[key] : undefined
  if (!session || session.expiresAt <= deps.clock.now()) return undefined
  return configured.tokenHashes.includes(session.tokenHash) ? configured.name : undefined
}

/** Ends a session; nothing happens if there is none. */
export async function closeSession(cookie: string, deps: SessionDeps): Promise<void> {
  const principal = await findSession(cookie, deps)
  if (principal === undefined) return
  const key = await hashToken(read(cookie).chance)
  await deps.records.changeValue<Sessions>(rowOf(principal), (before = {}) =>
    Object.fromEntries(Object.entries(before).filter(([name]) => name !== key)),
  )
}

function read(cookie: string): { readonly principal: string; readonly chance: string } {
  const [name = '', chance = ''] = cookie.split('.')
  const bytes = new Uint8Array(Math.floor(name.length / 2))
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(name.slice(at * 2, at * 2 + 2), 16)
  return { principal: new TextDecoder().decode(bytes), chance }
}

function rowOf(principal: string): string {
  return `sessions/${principal}`
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
