import type { Deps } from '../deps.ts'
import { alsoText, comparisonLines } from '../diagnosis/comparison-words.ts'
import type { Diagnosis, DiagnosisRequest } from '../diagnosis/diagnosis.ts'
import { readLog } from '../diagnosis/listen/read-log.ts'
import { reportText } from '../diagnosis/report-ref.ts'
import { urlsOf } from '../routes.ts'
import { viewOf } from './view.ts'
import { isTold, waitUntil } from './wait-until.ts'

type LogDeps = Pick<Deps, 'config' | 'store' | 'records' | 'clock' | 'log' | 'stopping'>

/** Whose log: of the target, or with `twin` of the healthy replica. */
type Whose = Pick<DiagnosisRequest, 'id' | 'adopted'> & { readonly twin?: boolean }

/** How long the end of a followed log waits for the bundle and the note on the bug report. */
const endTimeoutMs = 60_000

export const logHeaders = {
  'content-type': 'text/plain; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would hold a live log back: https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
  'x-accel-buffering': 'no',
}

/** The log as it was stored until now. Throws StoreUnavailable while nothing is sent yet. */
export async function storedLog(whose: Whose, deps: LogDeps, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const reader = readLog(deps, whose, { follow: false, twin: whose.twin ?? false, signal }).getReader()
  let ahead: ReadableStreamReadResult<Uint8Array> | undefined = await reader.read()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = ahead ?? (await reader.read())
        ahead = undefined
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  )
}

/**
 * The log live, until the diagnosis is over, and at its end outcome, findings and links. When the reader goes away, only
 * the reading ends. When the service stops, that is its last line. `greeting` comes first, at once.
 */
export function liveLog(whose: Whose, deps: LogDeps, greeting: string, requestSignal: AbortSignal): ReadableStream<Uint8Array> {
  const stop = new AbortController()
  const pieces = livePieces(whose, deps, greeting, AbortSignal.any([stop.signal, requestSignal]))
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await pieces.next()
        if (next.done) controller.close()
        else controller.enqueue(next.value)
      },
      cancel() {
        stop.abort()
      },
    },
    // Nothing is read ahead of the reader.
    { highWaterMark: 0 },
  )
}

async function* livePieces(whose: Whose, deps: LogDeps, greeting: string, gone: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
  const { id, twin = false } = whose
  const encoder = new TextEncoder()
  const signal = AbortSignal.any([gone, deps.stopping])
  if (greeting !== '') yield encoder.encode(greeting)
  let atLineStart = true
  const last = (lines: string) => encoder.encode(`${atLineStart ? '' : '\n'}\n${lines}`)
  const goesOn = (why: string) => last(`# ${why}; the diagnosis goes on: ${urlsOf(deps.config.publicUrl, id).page}\n`)
  try {
    for await (const piece of readLog(deps, whose, { follow: true, twin, signal })) {
      atLineStart = piece.at(-1) === 10
      yield piece
    }
    const ended = await waitUntil(isTold, id, endTimeoutMs, deps, signal)
    if (!signal.aborted) {
      if (ended) yield last(ending(ended, deps.config.publicUrl))
      return
    }
  } catch (error) {
    if (!signal.aborted) {
      deps.log('error', 'Cannot read the log of a diagnosis any further', { id, error: String(error) })
      yield last(`# the log cannot be read any further now; look again: ${urlsOf(deps.config.publicUrl, id).page}\n`)
      return
    }
  }
  if (!gone.aborted) yield goesOn('the service is stopping')
}

/** What a followed log ends with: comments of TAP, so that the whole can still be read as TAP. */
function ending(diagnosis: Diagnosis, publicUrl: string): string {
  const { links, outcome, state, explanation, refusal, findings, reported, bundle, report, comparison } = viewOf(diagnosis, publicUrl)
  const lines = [`outcome: ${outcome ?? `none yet, ${state}`}${explanation === undefined ? '' : ` (${explanation})`}`]
  if (refusal && refusal.message !== explanation) lines.push(`refused: ${refusal.message}`)
  lines.push(...findings.map(({ severity, title, alsoOn }) => `finding: ${severity}: ${title}${alsoText(alsoOn)}`))
  if (findings.length === 0) lines.push('finding: none')
  if (comparison) lines.push(...comparisonLines(comparison))
  lines.push(`diagnosis: ${links.page}`)
  if (bundle) lines.push(`bundle: ${links.bundle}`)
  if (reported?.kind === 'written') lines.push(`report: ${reported.url ?? (report && reportText(report))}`)
  else if (reported) lines.push(`report: ${reported.kind}: ${reported.message}`)
  return lines.map((line) => `# ${line.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ')}\n`).join('')
}
