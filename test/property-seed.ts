import { env } from 'node:process'
import fc from 'fast-check'

// In CI the dice are fixed: a gate judges the change and not the luck of the day. Everywhere else each run tries new inputs, and a
// counterexample comes with the seed that finds it again.
if (env.CI === 'true') fc.configureGlobal({ seed: 20_260_102 })
