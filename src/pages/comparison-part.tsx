import type { Comparison, FactDifference, SpecDifference } from '../diagnosis/comparison.ts'
import type { Diagnosis } from '../diagnosis/diagnosis.ts'
import { pathOf, routes } from '../routes.ts'

/** What differs from the healthy replica; nothing where none was asked for. */
export function ComparisonPart({ diagnosis, base }: { diagnosis: Diagnosis; base: string }) {
  const { compare, comparison, target, id } = diagnosis
  if (!compare) return null
  return (
    <>
      <h2>Compared with a healthy replica</h2>
      {comparison ? (
        <Compared comparison={comparison} namespace={target.namespace} log={`${base}${pathOf(routes.log, id)}?twin`} />
      ) : (
        <p class="soft">It is looked at after the target.</p>
      )}
    </>
  )
}

function Compared({ comparison, namespace, log }: { comparison: Comparison; namespace: string; log: string }) {
  const { twin, explanation, containers, specs, facts, findings } = comparison
  const nothing = twin && specs.length + facts.length + findings.length === 0
  return (
    <>
      {twin ? (
        <p>
          {`${namespace}/${twin.name}${twin.node === undefined ? '' : `, on node ${twin.node}`}`}
          {containers.length > 0 ? (
            <>
              {' · '}
              <a href={log}>its log as text</a>
            </>
          ) : null}
        </p>
      ) : null}
      {explanation === undefined ? null : <p class="notice">{explanation}</p>}
      {nothing ? <p class="soft">Nothing was seen that differs.</p> : null}
      {specs.length + facts.length === 0 ? null : (
        <dl class="facts">
          {specs.map((spec) => (
            <Spec spec={spec} />
          ))}
          {facts.map((fact) => (
            <Fact fact={fact} />
          ))}
        </dl>
      )}
      {findings.length === 0 ? null : (
        <>
          <h3>Found on the replica alone</h3>
          <ul>
            {findings.map(({ severity, title }) => (
              <li>{`${severity}: ${title}`}</li>
            ))}
          </ul>
        </>
      )}
    </>
  )
}

function Spec({ spec }: { spec: SpecDifference }) {
  return (
    <>
      <dt>{spec.what}</dt>
      <dd>
        <code>{spec.target}</code>
        <p class="small soft">
          replica: <code>{spec.twin}</code>
        </p>
      </dd>
    </>
  )
}

function Fact({ fact: { check, target, twin } }: { fact: FactDifference }) {
  return (
    <>
      <dt>{`check ${check}`}</dt>
      <dd>
        <pre>{[...target.map((line) => `target   ${line}`), ...twin.map((line) => `replica  ${line}`)].join('\n')}</pre>
      </dd>
    </>
  )
}
