import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { needs } from '../needs.ts'
import { check, Programs, program } from './diagnostics-programs.ts'
import { Diagnostics } from './diagnostics-userland.ts'

const run = promisify(execFile)

/** What a check of a runtime must not do to its target. */
describe('a target', { timeout: 60_000 }, () => {
  const busybox = needs('busybox')
  const pod = new Diagnostics('busybox', busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'harm-'))
  const programs = new Programs()
  afterAll(() => {
    programs.stop()
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  describe('that is read by gdb', () => {
    needs('gdb')
    const gcc = needs('gcc')
    /** Of each of its threads: the state, and who traces it (0: nobody). */
    const threads = (pid: number) =>
      readdirSync(`/proc/${pid}/task`).map((thread) => {
        const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')
        return { state: /^State:\s+(\S)/m.exec(status)?.[1], tracer: Number(/^TracerPid:\s+(\d+)$/m.exec(status)?.[1]) }
      })

    test('goes on where gdb is killed', async () => {
      const shop = join(temporary, 'shop')
      execFileSync(gcc, ['-O1', '-fno-inline', '-pthread', '-o', shop, program('native/shop.c')], { stdio: 'pipe' })
      const pid = await programs.start(shop, ['transfer 8'])
      for (const after of [0, 0, 1, 3, 30, 100]) {
        // Not by the runner, whose userland has no gdb.
        const asked = run('sh', ['diagnostics/checks/native-stacks', '/proc', String(pid), '', '10'])
        const tracer = await vi.waitFor(
          () => {
            const [one] = threads(pid).filter(({ tracer }) => tracer > 0)
            if (one === undefined) throw new Error('gdb is not there yet')
            return one.tracer
          },
          { timeout: 10_000, interval: 1 },
        )
        await sleep(after)
        process.kill(tracer, 'SIGKILL')
        expect((await asked).stdout).toMatch(/^(not )?ok - /m)
        expect(threads(pid).filter(({ state, tracer }) => state !== 'S' || tracer > 0)).toEqual([])
      }
    })
  })

  describe('with pprof', () => {
    /** Serves pprof's page with so many goroutines, as Go of that version writes it; `asked` are the paths that were asked for. */
    async function pprof(row: string, work: (port: number, asked: readonly string[]) => Promise<void>): Promise<void> {
      const asked: string[] = []
      const server = createServer((request, response) => {
        asked.push(request.url ?? '')
        if (request.url === '/debug/pprof/') response.end(`<html>\n<table>\n${row}\n</table>\n</html>\n`)
        else response.end('goroutine profile: total 7\n7 @ 0x1 0x2\n#\t0x1\tmain.main+0x1d\t/src/main.go:56\n\n')
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      try {
        await work((server.address() as AddressInfo).port, asked)
      } finally {
        server.close()
      }
    }

    test.each([
      ['today', "<tr><td>7</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>"],
      ['Go 1.12', '<tr><td>7<td><a href=goroutine?debug=1>goroutine</a>'],
      ['Go 1.9', '<tr><td align=right>7<td><a href="goroutine?debug=1">goroutine</a>'],
    ])('is asked for their number, then for their stacks: %s', async (_, row) => {
      await pprof(row, async (port, asked) => {
        expect((await check(pod, '--no-target', `go=${port}`)).points).toMatchObject([{ ok: true, name: expect.stringMatching(/^7 goroutines of /) }])
        expect(asked).toEqual(['/debug/pprof/', '/debug/pprof/goroutine?debug=1'])
      })
    })

    test('is not asked for the stacks of more than 20000', async () => {
      await pprof("<tr><td>20001</td><td><a href='goroutine?debug=1'>goroutine</a></td></tr>", async (port, asked) => {
        expect((await check(pod, '--no-target', `go=${port}`)).points).toMatchObject([{ skip: expect.stringContaining('there are 20001 of them') }])
        expect(asked).toEqual(['/debug/pprof/'])
      })
    })

    test('that does not tell their number is not asked for stacks', async () => {
      await pprof('<tr><td>7</td></tr>', async (port, asked) => {
        expect((await check(pod, '--no-target', `go=${port}`)).points).toMatchObject([{ ok: true, skip: expect.anything() }])
        expect(asked).toEqual(['/debug/pprof/'])
      })
    })
  })
})
