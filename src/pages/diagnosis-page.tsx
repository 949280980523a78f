import type { Diagnosis, Finding } from '../diagnosis/diagnosis.ts'
import { blindText } from '../diagnosis/skipped-words.ts'
import { pathOf, routes } from '../routes.ts'
import { ComparisonPart } from './comparison-part.tsx'
import { Facts } from './facts.tsx'
import { type Frame, Layout } from './layout.tsx'
import { Badge, byTelling, linkable, sizeText, targetText } from './words.tsx'

/** The end of the stored log, as far as the page shows it; the whole is behind a link. */
export interface ShownLog {
  readonly text: string
  readonly cut: boolean
}

/** Parts with `data-part` are replaced while the diagnosis goes on; the log is appended to, and is left out where it is undefined. */
export function DiagnosisPage({ frame, diagnosis, log }: { frame: Frame; diagnosis: Diagnosis; log: ShownLog | undefined }) {
  const over = diagnosis.state === 'done'
  const name = targetText(diagnosis.target)
  const logPath = frame.base + pathOf(routes.log, diagnosis.id)
  return (
    <Layout frame={frame} title={`${diagnosis.outcome ?? diagnosis.state}: ${name}`} refreshSeconds={over ? undefined : 3}>
      <article data-follow={over ? undefined : `${logPath}?follow`}>
        <div id="head" data-part aria-live="polite">
          <h1>{name}</h1>
          <p>
            <Badge diagnosis={diagnosis} /> <code class="soft">{diagnosis.id}</code>
          </p>
          {diagnosis.cancelRequested && !diagnosis.outcome ? (
            <p class="notice">It is being cancelled. A container that was already added runs until its own deadline.</p>
          ) : null}
          {diagnosis.refusal ? <p class="notice error">{diagnosis.refusal.message}</p> : null}
          {diagnosis.explanation !== undefined && diagnosis.explanation !== diagnosis.refusal?.message ? <p>{diagnosis.explanation}</p> : null}
        </div>
        <section id="findings" data-part>
          <h2>Findings</h2>
          {byTelling(diagnosis.findings).map((finding) => (
            <FindingCard finding={finding} />
          ))}
          {diagnosis.findings.length > 0 ? null : (
            <p class="soft">
              {over || diagnosis.outcome ? `Nothing was found${blindText(diagnosis.containers)}.` : 'None yet; they come when the log is read.'}
            </p>
          )}
        </section>
        <section id="comparison" data-part>
          <ComparisonPart diagnosis={diagnosis} base={frame.base} />
        </section>
        <Actions frame={frame} diagnosis={diagnosis} />
        <section>
          <h2>Log</h2>
          <p class="small soft">
            <span id="log-cut" hidden={!log?.cut}>
              Only its end is shown here.{' '}
            </span>
            <a href={logPath}>The whole log as text</a>
          </p>
          <pre class="log" id="log" tabindex={0}>
            {log?.text === '' ? (
              <span class="note">{over ? 'No container printed anything.' : 'Nothing printed yet.'}</span>
            ) : (
              <Lines text={log?.text ?? ''} />
            )}
          </pre>
        </section>
        <section id="facts" data-part>
          <h2>Facts</h2>
          <Facts diagnosis={diagnosis} base={frame.base} />
        </section>
      </article>
    </Layout>
  )
}

function FindingCard({ finding }: { finding: Finding }) {
  const { severity, title, evidence, cause, next, check, source, alsoOn } = finding
  return (
    <div class={`finding ${severity}`}>
      <h3>{title}</h3>
      <div class="meta">
        {severity} · {check} · {source === 'container' ? 'seen from inside the pod' : 'from the Kubernetes API'}
        {alsoOn === undefined ? null : ` · also on the healthy replica ${alsoOn}`}
      </div>
      {evidence === undefined ? null : <pre>{evidence}</pre>}
      {cause === undefined && next === undefined ? null : (
        <dl>
          {cause === undefined ? null : (
            <>
              <dt>Probable cause</dt>
              <dd>{cause}</dd>
            </>
          )}
          {next === undefined ? null : (
            <>
              <dt>What to do next</dt>
              <dd>{next}</dd>
            </>
          )}
        </dl>
      )}
    </div>
  )
}

function Actions({ frame, diagnosis }: { frame: Frame; diagnosis: Diagnosis }) {
  const { id, bundle, reported, state, cancelRequested } = diagnosis
  const report = reported?.kind === 'written' ? linkable(reported.url) : undefined
  return (
    <div class="actions" id="actions" data-part>
      {bundle ? (
        <a class="button main" href={frame.base + pathOf(routes.bundle, id)}>
          Download the bundle ({sizeText(bundle.bytes)})
        </a>
      ) : null}
      {report === undefined ? null : (
        <a class="button" href={report} rel="noreferrer">
          Open the bug report
        </a>
      )}
      <a class="button" href={frame.base + pathOf(routes.diagnosis, id)}>
        JSON
      </a>
      {state === 'done' || cancelRequested ? null : (
        <form method="post" action={frame.base + pathOf(routes.cancel, id)}>
          <button class="danger" type="submit">
            Cancel
          </button>
        </form>
      )}
    </div>
  )
}

/** As the script does it: lines of TAP in their colours. */
function Lines({ text }: { text: string }) {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return (
    <>
      {lines.map((line) => (
        <span
          class={/^\s*not ok\b/.test(line) ? 'bad' : /^\s*ok\b/.test(line) ? 'fine' : /^\s*#/.test(line) ? 'note' : undefined}
        >{`${line}\n`}</span>
      ))}
    </>
  )
}
