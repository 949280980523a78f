import type { CheckRequest, Profile } from './diagnosis.ts'

/** What the owners of an application may choose by annotations of the pod: each tells why not and what to do, or undefined. */
export interface Bounds {
  check(check: CheckRequest): string | undefined
  /** Both as they would be used together. */
  use(toolset: string, profile: Profile): string | undefined
}
