import { z } from '@hono/zod-openapi'
import { fieldErrors } from '../diagnosis/accept/field-error.ts'
import { Problem } from './problem.ts'

/** `?follow` is on, and so is `?follow=true`. */
export const followSchema = z
  .enum(['', 'true', '1', 'false', '0'])
  .optional()
  .transform((text) => text !== undefined && text !== 'false' && text !== '0')
  .openapi({ type: 'string', enum: ['', 'true', 'false'], description: 'Follow the live log until the end.' })

/** The parameters of a URL; a repeated or unknown one is an error. Throws a {@link Problem}. */
export function readQuery<T extends z.ZodObject>(schema: T, url: string): z.output<T> {
  const given: Record<string, string | string[]> = {}
  for (const [name, value] of new URL(url).searchParams) {
    const before = Object.hasOwn(given, name) ? given[name] : undefined
    given[name] = before === undefined ? value : [before, value].flat()
  }
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const errors = fieldErrors(parsed.error.issues, given, Object.keys(schema.shape))
  throw new Problem('invalid-query', errors.map(({ field, message }) => `${field}: ${message}`).join('; '), { errors })
}
