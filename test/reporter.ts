import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Says at the end which tests did not run and why, and how to get what they need. With CI=true a test that lacks a part
 * (its note begins with "needs "), or gives no reason, is a failure. Writes `{passed, failed, skipped}` to TEST_COUNTS, if that names a file.
 */
export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    const reasons = new Map<string, string[]>()
    for (const module of modules) {
      counts.failed += module.errors().length
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') counts.passed += 1
        else if (result.state === 'failed') counts.failed += 1
        else if (isAskedFor(test.module.project.vitest.config)) {
          counts.skipped += 1
          const reason = (result.state === 'skipped' ? result.note : undefined) ?? 'no reason given'
          reasons.set(reason, [...(reasons.get(reason) ?? []), `${module.relativeModuleId}: ${test.fullName}`])
        }
      }
    }
    for (const [reason, tests] of reasons) {
      console.log(`\nNot run (${tests.length}), ${reason}`)
      for (const test of tests.slice(0, 10)) console.log(`  ${test}`)
      if (tests.length > 10) console.log(`  and ${tests.length - 10} more`)
    }
    const lacking = [...reasons].filter(([reason]) => reason.startsWith('needs ') || reason === 'no reason given')
    if (process.env.CI === 'true' && lacking.length > 0) {
      const tests = lacking.flatMap(([, names]) => names).length
      console.log(`\nCI: ${tests} tests that did not run count as failures`)
      counts.failed += tests
      counts.skipped -= tests
      process.exitCode = 1
    }
    const file = process.env.TEST_COUNTS
    if (file) writeFileSync(file, JSON.stringify(counts))
  }
}

/** With `-t PATTERN` the tests that do not match are skipped on purpose. */
function isAskedFor(config: { readonly testNamePattern?: RegExp | undefined }): boolean {
  return config.testNamePattern === undefined
}
