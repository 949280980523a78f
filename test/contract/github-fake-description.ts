import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { OpenApi } from './openapi-validator.ts'

interface Description extends OpenApi {
  readonly components: { readonly examples: Readonly<Record<string, { readonly value: unknown }>> }
}

/** GitHub's own description of its REST API, as @octokit/openapi has it; 13 MB, read once. */
const path = createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json')
const description = JSON.parse(readFileSync(path, 'utf8')) as Description
export default description
