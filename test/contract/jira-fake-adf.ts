import { Ajv, type ValidateFunction } from 'ajv'
import schema from '../fixtures/jira/adf-schema.json'

let validate: ValidateFunction | undefined

/**
 * What is wrong with a document by Atlassian's published schema, or undefined. The schema is of draft 4; of what draft 7 changed, it uses nothing but the
 * name of itself (`$schema`), which is left out.
 */
export function adfComplaint(document: unknown): string | undefined {
  if (!validate) {
    const { $schema: _, ...rest } = schema
    validate = new Ajv({ strict: false }).compile(rest)
  }
  return validate(document) ? undefined : `INVALID_INPUT: ${JSON.stringify(validate.errors?.slice(-3))}`
}
