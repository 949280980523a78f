import fc from 'fast-check'
import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** Whether this is a run of CI; workerd has no environment variables that would tell. */
    readonly isCI: boolean
  }
}

// In CI the dice are fixed: a gate judges the change and not the luck of the day. Everywhere else each run tries new inputs, and a
// counterexample comes with the seed that finds it again.
if (inject('isCI')) fc.configureGlobal({ seed: 20_260_102 })
