import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { needs } from '../needs.ts'
import { check, findings, freePort, Programs, program } from './diagnostics-programs.ts'
import { Diagnostics } from './diagnostics-userland.ts'

describe('threads that hang', { timeout: 60_000 }, () => {
  const busybox = needs('busybox')
  const pod = new Diagnostics('busybox', busybox)
  const temporary = mkdtempSync(join(tmpdir(), 'threads-'))
  const programs = new Programs()
  const sockets: Socket[] = []
  afterAll(() => {
    for (const socket of sockets) socket.destroy()
    programs.stop()
    pod.remove()
    rmSync(temporary, { recursive: true })
  })

  /** What `name` finds of the process, once it finds something. */
  const found = async (name: string, pid: number) => {
    await expect.poll(async () => findings((await check(pod, `--target-pid=${pid}`, name)).points).length, { timeout: 30_000 }).toBeGreaterThan(0)
    return findings((await check(pod, `--target-pid=${pid}`, name)).points)
  }

  /** A client that has asked and waits, as long as the server lives. */
  async function ask(port: number): Promise<void> {
    const socket = connect(port, '127.0.0.1')
    sockets.push(socket)
    socket.on('error', () => undefined)
    await new Promise<void>((resolve) => socket.once('connect', resolve))
    socket.write('GET / HTTP/1.0\r\n\r\n')
  }

  describe('in C', () => {
    const gcc = needs('gcc')
    const shop = join(temporary, 'shop')
    const compile = () => execFileSync(gcc, ['-O1', '-fno-inline', '-pthread', '-o', shop, program('native/shop.c')], { stdio: 'pipe' })

    test.each([
      [2, /^threads \d+ \(payment\), \d+ \(payment\) of process \d+ \(shop\) are deadlocked: each waits for a mutex that the other holds$/],
      [4, /^4 threads of process \d+ \(shop\) are deadlocked: each waits for a mutex that the next holds: (\d+ \(payment\)(, )?){4}$/],
      [1, /^thread \d+ \(payment\) of process \d+ \(shop\) is deadlocked: it waits for a mutex that it holds itself$/],
    ])('a circle of %i mutexes', async (size, title) => {
      compile()
      const pid = await programs.start(shop, [`transfer ${size}`])
      expect(await found('threads', pid)).toEqual([{ id: 'threads/deadlock', severity: 'error', name: expect.stringMatching(title) }])
    })

    test('a loop on the thread that should answer, only once somebody waits', async () => {
      compile()
      const port = await freePort()
      const pid = await programs.start(shop, [`serve ${port} 1`])
      await expect.poll(() => runnable(pid), { timeout: 10_000 }).toBe(true)
      expect(findings((await check(pod, `--target-pid=${pid}`, 'threads')).points)).toEqual([])
      await ask(port)
      expect(await found('threads', pid)).toEqual([
        {
          id: 'threads/endless-loop',
          severity: 'error',
          name: expect.stringMatching(/is busy without a pause .* while 1 connection waits to be answered/),
        },
      ])
    })
  })

  describe('in Python', () => {
    const python = needs('python3')

    test('a process all of whose threads wait for locks', async () => {
      const pid = await programs.start(python, ['-u', program('python/shop.py'), 'transfer'])
      expect(await found('threads', pid)).toEqual([
        {
          id: 'threads/deadlock',
          severity: 'error',
          name: expect.stringMatching(/^all 3 threads of process \d+ \(python[\d.]*, Python 3\..*\) wait for locks/),
        },
      ])
    })

    test('nothing of workers that wait for work', async () => {
      const port = await freePort()
      const pid = await programs.start(python, ['-u', program('python/shop.py'), `serve ${port}`, 'pool 4'])
      expect(findings((await check(pod, `--target-pid=${pid}`, 'threads', 'runtime')).points)).toEqual([])
    })
  })

  describe('in Node.js', () => {
    test.each(['threads', 'node'])('a blocked event loop: %s', async (name) => {
      const port = await freePort()
      const pid = await programs.start(process.execPath, [program('nodejs/shop.cjs'), `serve ${port}`, 'price 2'])
      expect(findings((await check(pod, `--target-pid=${pid}`, name)).points)).toEqual([])
      await found(name, pid)
      await ask(port)
      expect(await found(name, pid)).toEqual([
        {
          id: `${name}/event-loop-blocked`,
          severity: 'error',
          name: expect.stringMatching(/^the event loop of process .* is blocked: .* waits? for it$/),
        },
      ])
    })

    test('nothing of one that is busy in short turns', async () => {
      const pid = await programs.start(process.execPath, [program('nodejs/shop.cjs'), `serve ${await freePort()}`, 'busy 30'])
      const { points } = await check(pod, `--target-pid=${pid}`, 'threads', 'node')
      expect(findings(points)).toEqual([])
      expect(points.at(-1)?.name).toMatch(/^the event loop of process .* turns: busy \d+ % of the last second$/)
    })
  })
})

const runnable = (pid: number): boolean => execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('R')
