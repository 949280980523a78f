import { z } from '@hono/zod-openapi'

/** Kinds of values that several parts of the configuration have. */

/** Without a user in it: fetch refuses such URLs, https://fetch.spec.whatwg.org/#dom-request, and secrets have keys of their own. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: 'a URL such as https://host.example', abort: true })
  .refine((url) => new URL(url).username === '' && new URL(url).password === '', 'a URL without a user or a password in it')
export const path = z.string().min(1)

/** A secret: `{env: NAME}` or `{file: PATH}` in the file; the host reads it at start. */
export const secret = z.union([z.strictObject({ env: z.string().min(1) }), z.strictObject({ file: path })], '{env: NAME} or {file: PATH}')
export type SecretRef = z.infer<typeof secret>

export const name = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'a name of lower-case letters, digits and dashes, 63 at most')
/** `*` matches any run of characters; there is no other wildcard. */
export const patterns = z.array(z.string().min(1))
