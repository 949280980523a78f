import { z } from '@hono/zod-openapi'
import { configSchema } from '../config.ts'

/** As much of JSON Schema as the configuration's uses. */
export interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: JsonSchema | boolean
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
}

/** The JSON Schema of the configuration file, for editors and for messages. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, { io: 'input' })
  return { ...schema, title: 'Configuration of Autodiagnose' } as JsonSchema
}

/** What the schema says of a place; several where a union leaves the choice. */
export function schemasAt(schema: JsonSchema, path: readonly PropertyKey[]): readonly JsonSchema[] {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.flatMap((choice) => schemasAt(choice, path))
  const [key, ...rest] = path
  if (key === undefined) return [schema]
  const below = typeof key === 'number' ? schema.items : (schema.properties?.[String(key)] ?? schema.additionalProperties)
  return typeof below === 'object' ? schemasAt(below, rest) : []
}
