import { routes } from '../routes.ts'
import { type Frame, Layout } from './layout.tsx'
import { Prose } from './words.tsx'

/** The part of an OpenAPI document that the page shows. */
export interface ApiDocument {
  readonly info: { readonly title: string; readonly description?: string }
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly {
    readonly name: string
    readonly in: string
    readonly required?: boolean
    readonly description?: string
    readonly schema?: Schema
  }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: Schema }>> }
  readonly responses?: Readonly<Record<string, { readonly description: string }>>
}

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly default?: unknown
  readonly description?: string
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
}

export function DocsPage({ frame, document, publicUrl }: { frame: Frame; document: ApiDocument; publicUrl: string }) {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const schemas = Object.entries(document.components?.schemas ?? {})
  return (
    <Layout frame={frame} title="API">
      <h1>API</h1>
      <p>{document.info.description}</p>
      <p>
        Made from <a href={frame.base + routes.openapi}>openapi.json</a>. Errors are <a href={frame.base + routes.problems}>problems</a> of RFC 9457.
        The simplest request:
      </p>
      <pre>{`curl -N -H "Authorization: Bearer $TOKEN" -d pod=NAMESPACE/POD -d report=TRACKER:KEY \\\n  "${publicUrl}${routes.diagnoses}?follow"`}</pre>
      {operations.map(({ path, method, operation }) => (
        <Route path={path} method={method} operation={operation} />
      ))}
      {schemas.map(([name, schema]) => (
        <section id={`schema-${name}`}>
          <h2>{name}</h2>
          <Fields schema={schema} />
        </section>
      ))}
    </Layout>
  )
}

function Route({ path, method, operation }: { path: string; method: string; operation: Operation }) {
  const { summary, description, parameters = [], requestBody, responses = {} } = operation
  return (
    <section>
      <h2>
        <code>{`${method.toUpperCase()} ${path}`}</code>
      </h2>
      <p>
        {summary}
        {description === undefined ? null : <Prose text={`. ${description}`} />}
      </p>
      <table>
        {parameters.map((parameter) => (
          <tr>
            <td>
              <code>{parameter.name}</code>
            </td>
            <td>{parameter.in}</td>
            <td>
              <Type schema={parameter.schema ?? {}} />
              {parameter.description === undefined ? null : <Prose text={`. ${parameter.description}`} />}
            </td>
          </tr>
        ))}
        {Object.entries(requestBody?.content ?? {}).map(([type, { schema }]) => (
          <tr>
            <td>body</td>
            <td>{type}</td>
            <td>
              <Type schema={schema ?? {}} />
            </td>
          </tr>
        ))}
        {Object.entries(responses).map(([status, response]) => (
          <tr>
            <td>{status}</td>
            <td>answer</td>
            <td>
              <Prose text={response.description} />
            </td>
          </tr>
        ))}
      </table>
    </section>
  )
}

function Fields({ schema }: { schema: Schema }) {
  return (
    <table>
      {Object.entries(schema.properties ?? {}).map(([name, field]) => (
        <tr>
          <td>
            <code>{name}</code>
          </td>
          <td>
            <Type schema={field} />
            {schema.required?.includes(name) ? '' : ', optional'}
          </td>
          <td>
            <Prose text={field.description ?? ''} />
          </td>
        </tr>
      ))}
    </table>
  )
}

function Type({ schema }: { schema: Schema }) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? ''
    return <a href={`#schema-${name}`}>{name}</a>
  }
  if (schema.enum) return <>{`one of ${schema.enum.map((one) => JSON.stringify(one)).join(', ')}`}</>
  const branches = schema.anyOf ?? schema.oneOf
  if (branches) return <Either schemas={branches} />
  if (schema.items) {
    return (
      <>
        list of <Type schema={schema.items} />
      </>
    )
  }
  if (schema.properties) return <>{`{ ${Object.keys(schema.properties).join(', ')} }`}</>
  return <>{[schema.type ?? 'any'].flat().join(' or ')}</>
}

function Either({ schemas }: { schemas: readonly Schema[] }) {
  return (
    <>
      {schemas.map((schema, at) => (
        <>
          {at > 0 ? ' or ' : ''}
          <Type schema={schema} />
        </>
      ))}
    </>
  )
}
