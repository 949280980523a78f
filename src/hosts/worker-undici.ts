/** In the place of undici in a Worker: see the alias of wrangler.toml. Nothing calls it. */
export const fetch = globalThis.fetch
