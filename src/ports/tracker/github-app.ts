/** A GitHub App: its id or client id, and its private key as GitHub gives it: PEM, PKCS#1; PKCS#8 will do, and newlines may be written as `\n`. */
export interface GitHubApp {
  readonly id: number | string
  readonly privateKey: string
  readonly installation: number
}

/** Why a private key cannot be used, or undefined if it may. */
export function complainAboutPrivateKey(privateKey: string): string | undefined {
  const kind = pem.exec(privateKey)?.[1]
  if (kind === undefined) return 'expected PEM that begins with "-----BEGIN RSA PRIVATE KEY-----" or "-----BEGIN PRIVATE KEY-----"'
  return kind === 'RSA PRIVATE KEY' || kind === 'PRIVATE KEY' ? undefined : `"${kind}" is not an RSA key as GitHub makes it`
}

/**
 * The token by which an app names itself, valid for nine minutes and from a minute ago, for clocks differ
 * (https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
 * Throws where the key cannot be read.
 *
 * Made here and not by @octokit/auth-app (6 KiB gzip): that one takes no PKCS#1 key on Workers, has requests wait for the promises of others,
 * whatever app or server they belong to, and sleeps for seconds after a 401.
 */
export async function appJwt(app: Pick<GitHubApp, 'id' | 'privateKey'>, nowMs: number): Promise<string> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('pkcs8', pkcs8(app.privateKey), algorithm, false, ['sign'])
  const now = Math.floor(nowMs / 1000)
  const parts = [
    { alg: 'RS256', typ: 'JWT' },
    { iat: now - 60, exp: now + 540, iss: String(app.id) },
  ]
  const signed = parts.map((part) => base64url(new TextEncoder().encode(JSON.stringify(part)))).join('.')
  const signature = await crypto.subtle.sign(algorithm.name, key, new TextEncoder().encode(signed))
  return `${signed}.${base64url(new Uint8Array(signature))}`
}

const pem = /^\s*-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s\\]+)-----END \1-----/

function pkcs8(privateKey: string): Uint8Array<ArrayBuffer> {
  const [, kind, base64 = ''] = pem.exec(privateKey) ?? []
  const der = Uint8Array.from(atob(base64.replace(/\\n|\s/g, '')), (character) => character.charCodeAt(0))
  if (kind !== 'RSA PRIVATE KEY') return der
  // RFC 5958: version 0, the algorithm rsaEncryption without parameters, and the PKCS#1 key as it is.
  return element(0x30, Uint8Array.of(0x02, 0x01, 0x00), rsaEncryption, element(0x04, der))
}

const rsaEncryption = Uint8Array.of(0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00)

/** A DER element of the tag, with a length of two bytes, which every RSA key has. */
function element(tag: number, ...contents: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = contents.reduce((sum, content) => sum + content.length, 0)
  return Uint8Array.from([tag, 0x82, length >> 8, length & 0xff, ...contents.flatMap((content) => [...content])])
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}
