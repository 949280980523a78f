import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { Diagnostics, type Printed, printed, proveEnd, type Userland } from './diagnostics-userland.ts'

const checks = {
  fine: 'echo "ok - all is well"',
  bad: `echo "not ok - it is broken"; echo "  ---"; echo "  id: bad/broken"; echo "  severity: error"; echo "  ..."`,
  stderr: 'echo "from stderr" >&2; echo "ok - said"',
  quotes: 'printf "ok - got <%s>\\n" "$(printf %s "$3" | tr "\\n" "~")"',
  forger: `cat <<'END'
TAP version 13
1..1
Bail out!
# autodiagnose end lines=1 bytes=1
#  check other
    ok 1 - indented
ok 7 - own number
  ---
  id: x
not ok - leaves its block open {
pragma +strict
# Subtest: s
END`,
  garbage: 'printf "\\377\\376 caf\\303\\251 \\000 nul\\n"; printf "no newline at the end"',
  artifact:
    'echo "begin-base64 644 a.txt"; echo aGVsbG8=; echo ====; echo "ok - whole"; echo "begin-base64 644 b.txt"; echo aGVsbG8=; echo "ok - cut"',
  hang: 'echo "# waits"; sleep 60',
  stubborn: "trap '' TERM; echo '# will not'; while :; do sleep 60; done",
  lines: 'yes 0123456',
  line: 'while :; do printf %1000s x; done',
  daemon: 'setsid sleep 5 & echo "ok - left one behind"',
  crash: 'exit 127',
  killed: 'kill -KILL $$',
  pieces: 'for i in 1 2 3; do echo "ok - piece $i"; done',
  slow: '# Costs: memory 1.0 MiB, cpu 0.1 s, time 1.5 s; of it 1 s to wait.\nsleep 60',
  octal: '# Costs: memory 08.5 MiB, cpu 1 s, time 09 s.\necho "ok - counted"',
  large: '# Costs: memory 9.5 MiB, cpu 1 s, time 1 s.\necho "ok - large"',
  first: 'read -r score </proc/self/oom_score_adj; echo "ok - score $score"',
}

describe.each<Userland>(['busybox', 'debian'])('runner under %s', (userland) => {
  const busybox = needs('busybox')
  const pod = new Diagnostics(userland, busybox, checks)
  afterAll(() => pod.remove())

  const run = async (...args: string[]): Promise<Printed> => {
    const result = await pod.run(...args)
    proveEnd(result.text)
    expect(result.stderr).toBe('')
    return result
  }

  test('numbers the points of all checks, plan last', async () => {
    const { text, points, code } = await run('--no-target', '--deadline=20', 'fine', 'bad', 'pieces')
    expect(text).toMatch(/^TAP version 14\n# check fine\nok 1 - all is well\n# check bad\nnot ok 2 - it is broken\n {2}---\n/)
    expect(text).toMatch(/\n1\.\.5\n# autodiagnose end [^\n]*\n$/)
    expect(points.map(({ ok }) => ok)).toEqual([true, false, true, true, true])
    expect(points[1]?.diag).toEqual({ id: 'bad/broken', severity: 'error' })
    expect(code).toBe(0)
  })

  test('leaves out by name what does not fit into the memory that the pod has left', async () => {
    // 9.5 and the 6 of the container itself.
    const mebibytes = (count: number) => `--memory=${count * 1024 * 1024}`
    const [little, enough, unknown] = [await run(mebibytes(15), 'large', 'fine'), await run(mebibytes(16), 'large'), await run('large')]
    expect(little.points).toMatchObject([
      { ok: true, skip: 'it needs 10 MiB of memory beside the 6 MiB of this container, and the pod had 15 MiB left', name: 'large' },
      { ok: true, name: 'all is well' },
    ])
    expect([...enough.points, ...unknown.points]).toEqual([
      { ok: true, name: 'large' },
      { ok: true, name: 'large' },
    ])
  })

  test('is the first to be killed where memory runs out', async () => {
    expect((await run('first')).points).toEqual([{ ok: true, name: 'score 1000' }])
  })

  test('runs the checks of a ConfigMap, executable or not, but none in place of ours', async () => {
    const directory = join(pod.home, 'checks.d')
    mkdirSync(directory)
    writeFileSync(join(directory, 'mounted'), 'echo "ok - mounted <$3>"\n', { mode: 0o644 })
    writeFileSync(join(directory, 'fine'), 'echo "not ok - another"\n', { mode: 0o755 })
    expect((await run('mounted=a b', 'fine')).points).toEqual([
      { ok: true, name: 'mounted <a b>' },
      { ok: true, name: 'all is well' },
    ])
    rmSync(directory, { recursive: true })
  })

  test.each(['redmine:12', 'github:octo-org/shop#12'])('takes --report=%s and does nothing with it', async (report) => {
    expect((await run(`--report=${report}`, 'fine')).points).toEqual([{ ok: true, name: 'all is well' }])
  })

  test.each(['redmine', 'redmine:', ':12', 'Red:1', 'a:b c', `a:${'b'.repeat(400)}`])(
    'remarks that --report=%s is none, and looks all the same',
    async (report) => {
      const { points, code, text } = await run(`--report=${report}`, 'fine')
      expect([code, points]).toEqual([0, [{ ok: true, name: 'all is well' }]])
      expect(text).toContain('# autodiagnose option --report is not TRACKER:ISSUE, as in redmine:12: nobody is told')
    },
  )

  test('takes the oldest process of the container for the target, whatever the order of names', async () => {
    const proc = join(pod.home, 'proc')
    for (const [pid, started] of [
      [12, 900],
      [7, 400],
      [9, 500],
    ]) {
      mkdirSync(join(proc, `${pid}`), { recursive: true })
      writeFileSync(join(proc, `${pid}/cgroup`), '0::/kubepods/cri-containerd-0abc.scope\n')
      writeFileSync(join(proc, `${pid}/stat`), `${pid} (a) b) S 1 ${'0 '.repeat(17)}${started} 0 0\n`)
      writeFileSync(join(proc, `${pid}/status`), 'Uid:\t5\t5\nGid:\t6\t6\n')
    }
    expect((await run('--target-id=0abc', `--proc=${proc}`, 'fine')).text).toContain('# autodiagnose target pid=7 ')
  })

  test('gives a parameter to its check as data', async () => {
    const param = `$(touch ${pod.home}/pwned);"'\`touch ${pod.home}/pwned\` && \\ *\nok 9 - forged`
    const { points } = await run(`quotes=${param}`)
    expect(points).toEqual([{ ok: true, name: expect.stringContaining('got <$(touch') }])
    expect(points[0]?.name).toContain('&&')
    expect(existsSync(join(pod.home, 'pwned'))).toBe(false)
  })

  test('tells of a name that is no check, and of a path', async () => {
    const { points, code } = await run('nope', '../lib/check.sh', "x$(id)'", 'fine')
    expect(points.map(({ ok }) => ok)).toEqual([false, false, false, true])
    expect(points[0]?.name).toBe('no check is named "nope"')
    expect(points[0]?.diag?.id).toBe('runner/unknown-check')
    expect(code).toBe(0)
  })

  test.each([
    ['--volume=1', 'unknown option "--volume"'],
    ['--deadline=soon', 'option --deadline is not a whole number'],
    ['--deadline=0', 'option --deadline=0 is too small, the least is 1'],
    ['--output-bytes=12', 'option --output-bytes=12 is too small, the least is 4096'],
    ['--target-id=../../x', 'option --target-id is not a container id in hex'],
  ])('refuses %s', async (option, message) => {
    const { points, code, text } = await run(option, 'fine')
    expect(points).toMatchObject([{ ok: false, name: message }])
    expect(text).not.toContain('all is well')
    expect(code).toBe(2)
  })

  test('runs nothing once it has expired', async () => {
    const { text, code } = await run('--expires=1000000000', 'fine')
    expect(text).toContain('# autodiagnose expired at 1000000000')
    expect(text).toContain('\n1..0 # SKIP expired\n')
    expect(text).not.toContain('all is well')
    expect(code).toBe(0)
    expect((await run(`--expires=${Math.ceil(Date.now() / 1000) + 100}`, 'fine')).points).toHaveLength(1)
  })

  test('lets no check speak in its own words', async () => {
    const { text, points } = await run('--no-target', 'forger', 'stderr', 'fine')
    expect(text.match(/^(TAP version|1\.\.|Bail|pragma|\s+ok)/gm)).toEqual(['TAP version', '1..'])
    expect(text.match(/^# autodiagnose .*/gm)).toHaveLength(1)
    expect(text.match(/^# check .*/gm)).toEqual(['# check forger', '# check stderr', '# check fine'])
    expect(points.map(({ name }) => name)).toEqual(['own number', 'leaves its block open', 'said', 'all is well'])
    expect(text).toContain('# | from stderr\n')
  })

  test('counts bytes that are no text', async () => {
    const { text, points } = await run('garbage', 'fine')
    expect(text).toContain('\xff\xfe caf\xc3\xa9')
    expect(text).toContain('# | no newline at the end\n')
    expect(points.map(({ ok }) => ok)).toEqual([false, true])
  })

  test('leaves an artifact that its check did not end open, and says so', async () => {
    const { text } = await run('artifact')
    expect(text).toContain(
      'begin-base64 644 a.txt\naGVsbG8=\n====\nok 1 - whole\nbegin-base64 644 b.txt\naGVsbG8=\n# autodiagnose artifact b.txt is incomplete\nok 2 - cut\n',
    )
  })

  test.each(['hang', 'stubborn'])('ends a check that does not end: %s', async (name) => {
    const began = performance.now()
    const { points } = await run('--deadline=2', name, 'fine')
    expect(performance.now() - began).toBeLessThan(4000)
    expect(points).toMatchObject([
      {
        ok: false,
        name: `check ${name} did not end within 1 s and was stopped`,
        diag: { id: `${name}/too-slow`, cause: expect.stringMatching(/did not answer/), next: expect.stringContaining(`ask for ${name} again`) },
      },
      { ok: true },
    ])
    expect(processesOf(pod)).toEqual([])
  })

  test('gives a check that says it takes longer more time, and reads no number as an octal one', async () => {
    const { points } = await run('--deadline=60', `--memory=${32 * 1024 * 1024}`, 'octal', 'slow')
    expect(points).toMatchObject([
      { ok: true, name: 'counted' },
      { ok: false, name: expect.stringMatching(/^check slow did not end within 18 s /) },
    ])
  })

  test('counts its deadline from the start of its process, and keeps a sixth of it to end', async () => {
    const command = 'sleep 5; exec "$0" "$@"'
    const args = ['-c', command, join(pod.home, 'runner'), '--deadline=10', 'fine', 'hang']
    const { points, text } = await printed(spawn('sh', args, { env: { PATH: pod.path }, cwd: pod.home, stdio: ['ignore', 'pipe', 'pipe'] }))
    proveEnd(text)
    expect(points).toMatchObject([{ ok: true }, { ok: false, name: expect.stringMatching(/^check hang did not end within [34] s /) }])
  })

  test('does not wait for a process that left its check', async () => {
    const began = performance.now()
    const { points } = await run('daemon', 'fine')
    expect(points).toHaveLength(2)
    expect(performance.now() - began).toBeLessThan(3000)
    await expect.poll(() => processesOf(pod), { timeout: 8000 }).toEqual([])
  })

  test('merges what its own programs complain of into its output', async () => {
    const broken = new Diagnostics(userland, busybox)
    rmSync(join(broken.home, 'lib/filter.awk'))
    const { text, stderr } = await broken.run('resolv')
    broken.remove()
    expect(stderr).toBe('')
    expect(text).toContain('filter.awk')
  })

  test('tells of a check that broke off or printed no result', async () => {
    const { points } = await run('crash', 'killed', 'garbage')
    expect(points.map(({ diag }) => diag?.id)).toEqual(['crash/broken', 'killed/broken', 'garbage/no-result'])
    expect(points.slice(0, 2).map(({ diag }) => diag)).toMatchObject([
      { cause: expect.stringMatching(/^it could not be executed/), next: expect.stringContaining('run crash by hand') },
      { cause: expect.stringMatching(/^it was ended by signal 9/), next: expect.stringContaining('ask for killed again') },
    ])
  })

  test.each(['lines', 'line'])('cuts a check that prints without end: %s', async (name) => {
    const child = pod.start(['--output-bytes=200000', name, 'fine', 'bad'])
    let most = 0
    const watch = setInterval(() => {
      most = Math.max(most, ...processesOf(pod).map(({ peakKiB }) => peakKiB))
    }, 5)
    const result = await printed(child)
    clearInterval(watch)
    proveEnd(result.text)
    expect(result.text.length).toBeLessThanOrEqual(200_000)
    expect(result.text.match(/^# autodiagnose cut at \d+ bytes$/gm)).toHaveLength(1)
    expect(result.points.slice(-2).map(({ name: title }) => title)).toEqual(['all is well', 'it is broken'])
    expect(most).toBeLessThan(6000)
  })

  // Again, because it depends on the moment: between fork and setsid a check has no group of its own yet.
  test.each(['hang', 'stubborn', 'lines'])('ends within 1 s of TERM, in the middle of: %s', { repeats: 4 }, async (name) => {
    const child = pod.start(['--deadline=60', 'fine', name, 'bad'])
    const result = printed(child)
    let seen = ''
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (seen.length < 100_000) seen += chunk.toString('latin1')
        if (seen.includes(`# check ${name}`)) resolve()
      })
    })
    const began = performance.now()
    child.kill('SIGTERM')
    // Not until the report is parsed, which takes longer for a long one.
    await new Promise((resolve) => child.once('close', resolve))
    expect(performance.now() - began).toBeLessThan(1000)
    const { text, code } = await result
    expect(text).toContain('\n# autodiagnose stopped by TERM\n1..')
    expect(text).not.toContain('it is broken')
    proveEnd(text)
    expect(code).toBe(143)
    expect(processesOf(pod)).toEqual([])
  })
})

/** Processes whose working directory is the pod's, and their highest resident memory. */
function processesOf(pod: Diagnostics): { pid: string; peakKiB: number }[] {
  return readdirSync('/proc').flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return []
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(pod.home)) return []
      const peak = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
      return [{ pid, peakKiB: Number(peak?.[1] ?? 0) }]
    } catch {
      return []
    }
  })
}
