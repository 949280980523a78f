import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { check, findings, Programs } from './diagnostics-programs.ts'
import { Diagnostics } from './diagnostics-userland.ts'

/** Python programs whose children end with the test. */
const begin = 'import fcntl, os, sys, threading, time\nsay = lambda: print("begun", flush=True)\n'
const lock = 'f = open(sys.argv[1], "w")\n'

describe('who is held up by another process', { timeout: 60_000 }, () => {
  const python = needs('python3')
  const pod = new Diagnostics('busybox', needs('busybox'))
  const programs = new Programs()
  const temporary = mkdtempSync(join(tmpdir(), 'held-'))
  afterAll(() => {
    programs.stop()
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  let files = 0
  const start = (program: string) => programs.start(python, ['-c', begin + program, join(temporary, String(++files))])
  const found = async (pid: number, name = 'threads') => findings((await check(pod, `--target-pid=${pid}`, name)).points)

  const waiter = /^process \d+ \(python.*\) waits for the lock of a file, which process \d+ \(python.*\) of the target holds and does not give back$/
  test.each([
    [
      'flock',
      `${lock}h = os.fork() == 0\nif h: fcntl.flock(f, 2); time.sleep(20); os._exit(0)\ntime.sleep(1); g = open(sys.argv[1], "w"); say(); fcntl.flock(g, 2)`,
    ],
    ['fcntl', `${lock}h = os.fork() == 0\nif h: fcntl.lockf(f, 2); time.sleep(20); os._exit(0)\ntime.sleep(1); say(); fcntl.lockf(f, 2)`],
  ])('tells a process that waits for the lock of a file: %s', async (_, program) => {
    const pid = await start(program)
    await expect
      .poll(() => found(pid), { timeout: 15_000 })
      .toEqual([{ id: 'threads/file-lock', severity: 'error', name: expect.stringMatching(waiter) }])
  })

  const pipe = 'r, w = os.pipe()\nif os.fork() == 0: '
  const full = /^thread \d+ \(python.*\) of process \d+ \(python.*\) waits to write into a pipe that is full: its other end does not read$/
  test('tells one that writes into a pipe that nobody reads', async () => {
    const pid = await start(`${pipe}time.sleep(20); os._exit(0)\nsay()\nwhile 1: os.write(w, b"x" * 100)`)
    await expect
      .poll(() => found(pid), { timeout: 15_000 })
      .toEqual([{ id: 'threads/pipe-full', severity: 'error', name: expect.stringMatching(full) }])
  })
  test('and of one with other threads only warns', async () => {
    const pid = await start(
      `${pipe}time.sleep(20); os._exit(0)\nthreading.Thread(target=time.sleep, args=(20,)).start()\nsay()\nwhile 1: os.writev(w, [b"x" * 100])`,
    )
    await expect
      .poll(() => found(pid), { timeout: 15_000 })
      .toEqual([{ id: 'threads/pipe-full', severity: 'warn', name: expect.stringMatching(full) }])
  })

  test.each([
    [
      'workers that take turns by a lock',
      'for i in range(4):\n if os.fork() == 0: g = open(sys.argv[1], "w"); fcntl.flock(g, 2); time.sleep(20); os._exit(0)\nsay()\ntime.sleep(20)',
    ],
    ['a pipe that is read slowly', `${pipe}\n while 1: os.read(r, 16384); time.sleep(0.25)\nsay()\nwhile 1: os.write(w, b"x" * 16384)`],
    ['a pipe with room', `${pipe}time.sleep(20); os._exit(0)\nos.write(w, b"x"); say()\ntime.sleep(20)`],
  ])('says nothing of %s', async (_, program) => {
    expect(await found(await start(program))).toEqual([])
  })
})
