import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { checkHeaders, checksDirectory } from './checks.ts'

// Writes a check to begin with, and its test: npm run check:new -- NAME [--directory DIR]. With a directory of one's own, the check alone.
const { values, positionals } = parseArgs({ options: { directory: { type: 'string' } }, allowPositionals: true })
const [name = '', ...others] = positionals
if (others.length > 0 || !/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) {
  console.error('Name one check, of lower-case letters, digits and dashes: npm run check:new -- open-files')
  process.exit(2)
}
if (checkHeaders().some((ours) => ours.name === name)) {
  console.error(`"${name}" is a check of ours, and stays it wherever yours is; take another name`)
  process.exit(1)
}
const check = join(values.directory ?? checksDirectory, name)
const test = fileURLToPath(new URL(`../test/diagnosis/diagnostics-${name}.test.ts`, import.meta.url))
const files = [check, ...(values.directory === undefined ? [test] : [])]
for (const file of files) {
  if (!existsSync(file)) continue
  console.error(`There is ${file} already; take another name, or remove it`)
  process.exit(1)
}

writeFileSync(
  check,
  `#!/bin/sh
# How many threads the target's first process has, and whether they are more than the parameter says. Tell here what yours tells.
# Tells: ${name}/too-many
# Needs: profile restricted; tool busybox; uid any.
# Costs: memory 1 MiB, cpu 0.1 s, time 0.1 s.
# Disturbs: no.
# Param: optional NUMBER, the threads from which on it is a finding: ${name}=500.

# shellcheck source=diagnostics/lib/check.sh
. "\${0%/*}/../lib/check.sh"

if [ -z "$target" ]; then
  skip "threads" "no process namespace is shared with a target"
  exit
fi
most=\${param:-500} threads=''
case $most in *[!0-9]*) skip "threads" "the parameter is not a whole number" && exit ;; esac
while read -r key value; do
  [ "$key" != Threads: ] || threads=$value
done <"$proc/$target/status"
if [ "\${threads:-0}" -gt "$most" ]; then
  finding too-many warn "the target has $threads threads, more than $most" "threads are started and never end" "look at what the threads do" "Threads: $threads"
else
  pass "the target has \${threads:-0} threads"
fi
`,
)
chmodSync(check, 0o755)
if (values.directory === undefined)
  writeFileSync(
    test,
    `import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, proveEnd, type Userland } from './diagnostics-userland.ts'

describe.each<Userland>(['busybox', 'debian'])('${name} under %s', (userland) => {
  const pod = new Diagnostics(userland, needs('busybox'))
  afterAll(() => pod.remove())

  test('is silent about a healthy process', async () => {
    const { points, text } = await pod.run(\`--target-pid=\${process.pid}\`, '${name}')
    proveEnd(text)
    expect(points).toMatchObject([{ ok: true, name: expect.stringMatching(/^the target has \\d+ threads$/) }])
  })

  test('finds the trouble', async () => {
    const { points } = await pod.run(\`--target-pid=\${process.pid}\`, '${name}=1')
    expect(points).toMatchObject([{ ok: false, diag: { id: '${name}/too-many', severity: 'warn' } }])
  })
})
`,
  )

console.log(`Written:\n${files.map((file) => `  ${file}`).join('\n')}
It counts threads, and runs: write yours in its place. Then
  npm run check:lint${values.directory === undefined ? '' : ` -- ${values.directory}`}
${
  values.directory === undefined
    ? `  npm run schema                  the service learns its name and parameter
  npm test -- test/diagnosis/diagnostics-${name}.test.ts
and give it a real fault in test/lab/faults.`
    : `  npm run image -- --checks ${values.directory}
and name it in diagnosis.extraChecks.`
}
docs/contract.md says what a check may rely on.`)
