/** `sha256:` and the 64 hex digits of the token's digest, as the configuration holds it. Tokens are long and random, so no salt is needed. */
export async function hashToken(token: string): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token)))
  return `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`
}
