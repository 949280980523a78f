import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RawPod } from '../../src/ports/cluster/cluster.ts'
import type { FaultCase } from './corpus.ts'

/** Reads of the API server, by one process of kubectl: one for each question would take more of the machine than the cases themselves. */
export interface Api {
  /** The body of an answer; undefined where there is none of status 200. */
  text(path: string): Promise<string | undefined>
  close(): void
}

export async function startApi(): Promise<Api> {
  const child: ChildProcess = spawn('kubectl', ['proxy', '--port=0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  process.once('exit', () => child.kill('SIGKILL'))
  if (!child.stdout) throw new Error('Cannot read what kubectl proxy prints')
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const address = /127\.0\.0\.1:\d+/.exec(line)?.[0]
  if (address === undefined) throw new Error(`Cannot read the address of kubectl proxy from "${line}"`)
  return {
    async text(path) {
      const answer = await fetch(`http://${address}${path}`)
      const body = await answer.text()
      return answer.ok ? body : undefined
    },
    close: () => void child.kill(),
  }
}

export async function podsOf(api: Api, namespace: string, selector: string): Promise<readonly RawPod[]> {
  const text = await api.text(`/api/v1/namespaces/${namespace}/pods?labelSelector=${encodeURIComponent(selector)}`)
  return text === undefined ? [] : JSON.parse(text).items
}

/**
 * Waits until every condition of `ready` holds, in their order, as `fault wait` does; returns the one that does not after `seconds`,
 * or undefined.
 */
export async function awaitReady(api: Api, one: FaultCase, seconds: number, signal: AbortSignal): Promise<string | undefined> {
  const end = Date.now() + seconds * 1000
  for (const condition of one.ready) {
    while (!(await holds(api, one, condition))) {
      if (Date.now() > end) return condition
      await sleep(500, undefined, { signal })
    }
  }
  return undefined
}

/** `log|previous|status|event REGEX`, or `logs SELECTOR CONTAINER REGEX`. */
async function holds(api: Api, { namespace, selector, container }: FaultCase, condition: string): Promise<boolean> {
  const [, kind = '', rest = ''] = /^(\S+) (.*)$/.exec(condition) ?? []
  const logOf = async (labels: string, name: string, query = ''): Promise<string> => {
    const pods = await podsOf(api, namespace, labels)
    const texts = pods.map(({ metadata }) => api.text(`/api/v1/namespaces/${namespace}/pods/${metadata.name}/log?container=${name}${query}`))
    return (await Promise.all(texts)).join('\n')
  }
  switch (kind) {
    case 'log':
      return anyLine(rest, await logOf(selector, container))
    case 'previous':
      return anyLine(rest, await logOf(selector, container, '&previous=true'))
    case 'logs': {
      const [, labels = '', name = '', pattern = ''] = /^(\S+) (\S+) (.*)$/.exec(rest) ?? []
      return anyLine(pattern, await logOf(labels, name))
    }
    case 'status':
      return anyLine(rest, (await podsOf(api, namespace, selector)).map(({ status }) => JSON.stringify(status)).join('\n'))
    case 'event': {
      const text = (await api.text(`/api/v1/namespaces/${namespace}/events`)) ?? '{"items":[]}'
      const events: readonly { readonly reason?: string; readonly message?: string }[] = JSON.parse(text).items
      return anyLine(rest, events.map(({ reason, message }) => `${reason}: ${message}`).join('\n'))
    }
    default:
      throw new Error(`unknown condition: ${condition}`)
  }
}

const classes: Readonly<Record<string, string>> = { alnum: '0-9A-Za-z', alpha: 'A-Za-z', digit: '0-9', lower: 'a-z', space: '\\s', upper: 'A-Z' }

/** Whether a line matches, as `grep -E` has it: its classes of characters are not those of JavaScript. */
export function anyLine(pattern: string, text: string): boolean {
  const expression = new RegExp(pattern.replace(/\[:(\w+):\]/g, (whole, name: string) => classes[name] ?? whole))
  return text.split('\n').some((line) => expression.test(line))
}
