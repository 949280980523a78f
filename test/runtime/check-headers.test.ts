import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { readCheckHeader } from '../../scripts/check-header.ts'
import { checkHeaders, checkListModule, checksDirectory, checksPage, defaultChecks, lintChecks } from '../../scripts/checks.ts'
import { checkList } from '../../src/diagnosis/check-list.ts'

const good = `#!/bin/sh
# Looks at threads.
# Tells: threads/too-many, threads/NAME/stuck
# Needs: profile general; tool gdb busybox; uid target, else nothing is seen.
# Costs: memory 1.5 MiB, cpu 0.1 s, time 2 s; most of it
#   while it waits.
# Disturbs: pauses the target for at most 2 s.
# Param: required, as in threads=500, a number.

. lib
`

describe('the head of a check', () => {
  test('is read', () => {
    expect(readCheckHeader('threads', good)).toEqual({
      ok: true,
      header: {
        name: 'threads',
        summary: 'Looks at threads.',
        tells: ['threads/too-many', 'threads/NAME/stuck'],
        profile: 'general',
        tools: ['gdb'],
        uid: 'target',
        memoryKib: 1536,
        cpuSeconds: 0.1,
        timeSeconds: 2,
        pauses: true,
        param: 'required',
        example: 'threads=500',
      },
    })
  })

  test.each([
    ['a field that is missing', good.replace(/^# Disturbs.*\n/m, ''), 'the line "# Disturbs:" is missing; expected'],
    ['costs in other words', good.replace('memory 1.5 MiB', 'little'), '"# Costs: little, cpu'],
    ['a profile that is none', good.replace('general', 'root'), '"root" is no profile; known are restricted'],
    ['ids in other words', good.replace('threads/too-many, ', 'many things, '), '"# Tells: many things'],
    ['no words', good.replace('# Looks at threads.\n', ''), 'say in the first comment line'],
    ['a name in capitals', good, 'lower-case letters', 'Threads'],
  ])('%s is told', (_, text, complaint, name = 'threads') => {
    const read = readCheckHeader(name, text)
    expect(read.ok ? [] : read.complaints).toContainEqual(expect.stringContaining(complaint))
  })
})

describe('our checks', () => {
  test('have heads, in which the service has read', () => {
    expect(lintChecks(checksDirectory)).toEqual([])
    const page = readFileSync(new URL('../../docs/checks.md', import.meta.url), 'utf8')
    expect(checksPage(page), 'npm run schema').toBe(page)
    const written = checkListModule().replace(/^\/\/.*\n|import.*\n/gm, '')
    const list = new Function(written.replace('export const checkList: readonly CheckFacts[] =', 'return'))()
    expect(checkList, 'npm run schema').toEqual(list)
    expect(
      checkHeaders()
        .slice(0, defaultChecks().length)
        .map(({ name }) => name),
    ).toEqual(defaultChecks())
  })
})

describe("a check of one's own", () => {
  const directory = mkdtempSync(join(tmpdir(), 'checks-'))
  afterAll(() => rmSync(directory, { recursive: true }))
  const npm = (script: string, ...args: readonly string[]) =>
    spawnSync('tsx', [fileURLToPath(new URL(`../../scripts/${script}.ts`, import.meta.url)), ...args], { encoding: 'utf8' })

  test('is scaffolded so that the linter takes it, and not over one that is there', () => {
    expect(npm('new-check', 'many-threads', '--directory', directory).status).toBe(0)
    expect(lintChecks(directory)).toEqual([])
    const again = npm('new-check', 'many-threads', '--directory', directory)
    expect([again.status, again.stderr]).toEqual([1, expect.stringContaining('There is ')])
    expect(npm('new-check', 'http', '--directory', directory).stderr).toContain('"http" is a check of ours')
    expect(npm('lint-checks', join(directory, 'none')).stderr).toMatch(/none: there is no such directory\n/)
    expect(npm('new-check', 'Many Threads').status).toBe(2)
    expect(existsSync(join(checksDirectory, 'Many Threads'))).toBe(false)
  })

  test('that breaks the contract is told of', () => {
    const path = join(directory, 'late')
    writeFileSync(
      path,
      `${readFileSync(join(directory, 'many-threads'), 'utf8').replaceAll('many-threads/', 'late/')}\ntimeout 2 sleep 3 | tee /tmp/x\n`,
    )
    chmodSync(path, 0o644)
    const { status, stderr } = npm('lint-checks', directory)
    expect(status).toBe(1)
    expect(stderr).toMatch(/late: it is not executable/)
    expect(stderr).toMatch(/late: busybox timeout/)
    expect(stderr).toMatch(/late: no file is written/)
    rmSync(path)
  })
})
