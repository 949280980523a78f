import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, type Point, proveEnd, type Userland } from './diagnostics-userland.ts'

describe.each<Userland>(['busybox', 'debian'])('the check environment under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox)
  const proc = mkdtempSync(join(tmpdir(), 'proc-'))
  const targets: ChildProcess[] = []
  afterAll(() => {
    for (const target of targets) target.kill('SIGKILL')
    pod.remove()
    rmSync(proc, { recursive: true })
  })

  /** What the check says of a process with these variables. */
  async function check(env: Readonly<Record<string, string>>): Promise<{ readonly points: readonly Point[]; readonly text: string }> {
    const child = spawn('/bin/sh', ['-c', 'echo ready; exec /bin/sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'], env })
    targets.push(child)
    await new Promise((resolve) => child.stdout?.once('data', resolve))
    const { text, points } = await pod.run(`--target-pid=${child.pid}`, 'environment')
    proveEnd(text)
    return { points, text }
  }

  test('names variables and no value', async () => {
    const { points, text } = await check({ TOKEN: 'made-up-secret', EMPTY: '', SPACED: ' made-up-blanks ' })
    expect(points).toMatchObject([{ ok: true, name: expect.stringMatching(/^the environment of the target has \d+ variables$/) }])
    expect(text).toMatch(/^# .*TOKEN.*$/m)
    expect(text).toMatch(/^# empty: EMPTY$/m)
    expect(text).not.toContain('made-up')
  })

  test.each([
    [
      'a reference that the pod does not define',
      { URL: 'http://$(CART_HOST):80/made-up' },
      'unresolved/URL',
      /URL holds the unresolved reference \$\(CART_HOST\): CART_HOST is not defined/,
    ],
    [
      'a reference that is defined too late',
      { URL: 'http://$(CART):80/made-up', CART: 'made-up' },
      'unresolved/URL',
      /unresolved reference \$\(CART\)$/,
    ],
    ['a line break that came with a Secret', { PASSWORD: 'made-up\n' }, 'line-break/PASSWORD', /PASSWORD ends in a line break$/],
    ['a line end of Windows', { HOST: 'made-up\r' }, 'carriage-return/HOST', /HOST ends in a carriage return$/],
    ['a value that a program left out', { HOST: 'undefined' }, 'template/HOST', /HOST holds an unfilled template$/],
    ['a placeholder', { TOKEN: 'CHANGE_ME' }, 'placeholder/TOKEN', /TOKEN is a placeholder/],
    ['quotes that no shell took away', { HOST: '"made-up"' }, 'quotes/HOST', /HOST stands in quotes, which are part of it$/],
    ['a number with a blank', { PORT: '8080 ' }, 'blank/PORT', /PORT begins or ends in a blank$/],
    ['a template that nothing filled', { HOST: '{{ .Values.made-up }}' }, 'template/HOST', /HOST holds an unfilled template$/],
  ])('finds %s', async (_, env, id, title) => {
    const { points, text } = await check(env)
    expect(points).toMatchObject([{ ok: false, name: expect.stringMatching(title), diag: { id: `environment/${id}`, severity: 'warn' } }])
    expect(text).not.toContain('made-up')
  })

  test.each([
    ['a certificate', '-----BEGIN CERTIFICATE-----\nbWFkZS11cA==\n-----END CERTIFICATE-----\n'],
    ['JSON of a YAML block', '{"made": "up"}\n'],
    ['a script', 'exec shop --port 80\n'],
    ['a command of a shell', 'up $(date)'],
    ['options with a blank', '-Xmx1g '],
    ['quotes of a part', '-Dname="made up" -Dother="x"'],
    ['a JSON text', '"{made: up}"'],
    ['a template of the program', '{{.time}} {{.level}}'],
  ])('takes %s as it is', async (_, value) => {
    const { points } = await check({ VALUE: value })
    expect(points).toMatchObject([{ ok: true }])
  })

  test('is skipped where the kernel does not let it look, and without a target', async () => {
    const { points } = await pod.run('--no-target', 'environment')
    expect(points).toMatchObject([{ ok: true, skip: expect.stringContaining('no process namespace') }])
    mkdirSync(join(proc, '1'))
    symlinkSync('/nowhere', join(proc, '1/root'))
    expect((await pod.run(`--proc=${proc}`, 'environment')).points).toMatchObject([
      { ok: true, skip: expect.stringContaining('the kernel does not let us look') },
    ])
  })
})
