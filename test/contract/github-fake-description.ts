import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { OpenApi } from './openapi-validator.ts'

interface Description extends OpenApi {
  readonly components: { readonly examples: Readonly<Record<string, { readonly value: unknown }>> }
}

const require = createRequire(import.meta.url)

/** GitHub's own description of its REST API; 13 MB, read once. */
export const description = JSON.parse(readFileSync(require.resolve('@octokit/openapi/generated/api.github.com.json'), 'utf8')) as Description
