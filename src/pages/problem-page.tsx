import type { FieldError } from '../diagnosis/accept/field-error.ts'
import { pathOf, routes } from '../routes.ts'
import { type Frame, Layout } from './layout.tsx'
import { Prose } from './words.tsx'

export interface ProblemKind {
  readonly status: number
  readonly title: string
  readonly explanation: string
}

/** What a browser sees of an error. */
export function ErrorPage({
  frame,
  kind,
  detail,
  errors,
  requestId,
}: {
  frame: Frame
  kind: ProblemKind
  detail: string
  errors: readonly FieldError[]
  requestId: string | undefined
}) {
  return (
    <Layout frame={frame} title={kind.title}>
      <h1>{kind.title}</h1>
      <p class="notice error">{detail}</p>
      <ul>
        {errors.map(({ field, value, message }) => (
          <li>
            <code>{field}</code> {value === undefined ? null : <code>{`"${value}"`}</code>} {message}
          </li>
        ))}
      </ul>
      <p>
        <Prose text={kind.explanation} />
      </p>
      <p class="small soft">
        Status {String(kind.status)}, request {requestId}
      </p>
    </Layout>
  )
}

/** The page behind the `type` of a problem. */
export function ProblemPage({ frame, slug, kind }: { frame: Frame; slug: string; kind: ProblemKind }) {
  return (
    <Layout frame={frame} title={kind.title}>
      <h1>{kind.title}</h1>
      <p>
        Problem <code>{slug}</code>, status {String(kind.status)}
      </p>
      <p>
        <Prose text={kind.explanation} />
      </p>
      <p>
        <a href={frame.base + routes.problems}>All problems</a>
      </p>
    </Layout>
  )
}

export function ProblemsPage({ frame, kinds }: { frame: Frame; kinds: Readonly<Record<string, ProblemKind>> }) {
  return (
    <Layout frame={frame} title="Problems">
      <h1>Problems</h1>
      <p class="soft">Every error is a problem of RFC 9457 with one of these types.</p>
      <table>
        <tr>
          <th>Type</th>
          <th>Status</th>
          <th>Meaning</th>
        </tr>
        {Object.entries(kinds).map(([slug, kind]) => (
          <tr>
            <td>
              <a href={frame.base + pathOf(routes.problem, slug)}>
                <code>{slug}</code>
              </a>
            </td>
            <td>{String(kind.status)}</td>
            <td>{kind.title}</td>
          </tr>
        ))}
      </table>
    </Layout>
  )
}
