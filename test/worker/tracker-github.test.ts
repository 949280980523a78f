import { describe, expect, test } from 'vitest'
import { realClock } from '../../src/hosts/parts.ts'
import { github } from '../../src/ports/tracker/github.ts'
import { exampleNote } from '../contract/tracker-notes.ts'

/** What of it is workerd's own: keys, digests, Octokit's requests and answers. The rest of the contract runs in Node, where GitHub's description can be read. */

/** Where the PKCS#1 key begins in the PKCS#8 form of an RSA key of 2048 bits. */
const wrapping = 26

async function appKey() {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1) }
  const { privateKey, publicKey } = (await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as CryptoKeyPair
  const der = new Uint8Array((await crypto.subtle.exportKey('pkcs8', privateKey)) as ArrayBuffer).subarray(wrapping)
  const kind = 'RSA PRIVATE KEY'
  return { pem: `-----BEGIN ${kind}-----\n${btoa(String.fromCharCode(...der))}\n-----END ${kind}-----\n`, publicKey }
}

const bytes = (base64url: string) =>
  Uint8Array.from(atob(base64url.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))

describe('GitHub on Workers', () => {
  test('writes a note as an app whose key is PKCS#1', async () => {
    const { pem, publicKey } = await appKey()
    const comments: { id: number; body: string; user: { login: string } }[] = []
    const asked: string[] = []
    const tracker = github({
      url: 'https://github.example/api/v3',
      auth: { id: 'Iv1.made-up', installation: 99, privateKey: pem },
      clock: realClock,
      async fetch(request) {
        const path = new URL(request.url).pathname.slice('/api/v3'.length)
        const token = request.headers.get('authorization')?.slice('Bearer '.length) ?? ''
        asked.push(`${request.method} ${path}`)
        if (path.startsWith('/app')) {
          const [header = '', claims = '', signature = ''] = token.split('.')
          const signed = new TextEncoder().encode(`${header}.${claims}`)
          expect(await crypto.subtle.verify('RSASSA-PKCS1-v1_5', publicKey, bytes(signature), signed)).toBe(true)
          if (path === '/app') return Response.json({ slug: 'autodiagnose' })
          return Response.json({ token: 'ghs_made-up', expires_at: new Date(realClock.now() + 3_600_000).toISOString() }, { status: 201 })
        }
        expect(token).toBe('ghs_made-up')
        if (request.method === 'GET') return Response.json(comments)
        const { body } = (await request.json()) as { body: string }
        comments.push({ id: 7, body, user: { login: 'autodiagnose[bot]' } })
        return Response.json(comments[0], { status: 201 })
      },
    })
    const written = await tracker.writeNote('fruit/desk#1', exampleNote(), { signal: AbortSignal.timeout(10_000) })
    expect(written).toEqual({ noteId: '7', url: 'https://github.example/fruit/desk/issues/1#issuecomment-7' })
    const list = 'GET /repos/fruit/desk/issues/1/comments'
    expect(asked).toEqual(['POST /app/installations/99/access_tokens', list, 'POST /repos/fruit/desk/issues/1/comments', list, 'GET /app'])
  })
})
