import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Says at the end which tests did not run and why, and how to get what they need. With CI=true a test that lacks a part
 * (its note begins with "needs "), or gives no reason, is a failure. Writes `{passed, failed, skipped, failures}` to
 * TEST_COUNTS, if that names a file; failures are what failed and why, in brief.
 */
export default class implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length, skipped: 0 }
    const failures = unhandled.map((error) => brief('outside of tests', [error]))
    const reasons = new Map<string, string[]>()
    for (const module of modules) {
      counts.failed += module.errors().length
      failures.push(...module.errors().map((error) => brief(module.relativeModuleId, [error])))
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'passed') counts.passed += 1
        else if (result.state === 'failed') {
          counts.failed += 1
          failures.push(brief(`${module.relativeModuleId}: ${test.fullName}`, result.errors))
        } else if (isAskedFor(test.module.project.vitest.config)) {
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
      failures.push(
        ...lacking.map(([reason, names]) => `${names[0]}${names.length > 1 ? ` and ${names.length - 1} more` : ''}: did not run, ${reason}`),
      )
      process.exitCode = 1
    }
    const file = process.env.TEST_COUNTS
    if (file) writeFileSync(file, JSON.stringify({ ...counts, failures }))
  }
}

/** A failure in some lines: what is said at the end of a long output is what gets read. */
function brief(name: string, errors: readonly SerializedError[]): string {
  const messages = errors.map(
    ({ message, stack }) => `${message.slice(0, 1000)}\n${stack?.split('\n').find((line) => line.includes('/test/')) ?? ''}`,
  )
  return [name, ...messages].join('\n')
}

/** With `-t PATTERN` the tests that do not match are skipped on purpose. */
function isAskedFor(config: { readonly testNamePattern?: RegExp | undefined }): boolean {
  return config.testNamePattern === undefined
}
