import { z } from 'zod'
import { fileGlob } from './file-glob.ts'
import { type GoRegExp, goRegExp } from './go-regexp.ts'

/** A redactor file as it was read: its name, for messages, and what the YAML in it says. */
export interface RedactorFile {
  readonly name: string
  readonly document: unknown
}

/** One entry of `spec.redactors`, ready for use. */
export interface FileRedactor {
  /** Under which its removals are counted, as Troubleshoot names them: `<name>.regex.0`. */
  readonly name: string
  readonly values: readonly string[]
  readonly regex: readonly { readonly selector?: GoRegExp; readonly redactor: GoRegExp }[]
  readonly yamlPath: readonly (readonly string[])[]
  /** Whether it is for the file with this path in the bundle. Without a fileSelector it is for every file. */
  selects(path: string): boolean
}

const list = <T extends z.ZodType>(item: T) => z.array(item).nullish()
const redactor = z.strictObject({
  name: z.string().optional(),
  fileSelector: z.strictObject({ file: z.string().nullish(), files: list(z.string()) }).nullish(),
  removals: z
    .strictObject({
      values: list(
        z
          .string()
          .min(1, 'an empty value is found everywhere')
          .regex(/^[^\n]*$/, 'values are looked for within one line, so none may hold a newline'),
      ),
      regex: list(z.strictObject({ selector: z.string().nullish(), redactor: z.string().min(1) })),
      yamlPath: list(z.string().min(1)),
    })
    .nullish(),
})
const schema = z.object({
  apiVersion: z.literal('troubleshoot.sh/v1beta2'),
  kind: z.literal('Redactor'),
  metadata: z.looseObject({}).nullish(),
  spec: z.object({ redactors: list(redactor) }),
})

/**
 * The redactors of a file. Throws an Error that names the file, the redactor, the field, its value and what is wrong.
 *
 * Form: https://troubleshoot.sh/docs/redact/redactors/
 */
export function readRedactorFile(file: RedactorFile): readonly FileRedactor[] {
  const fail = (field: string, value: unknown, reason: string, cause?: unknown): never => {
    const named = nameAt(file.document, field)
    throw new Error(
      `Cannot use redactor file "${file.name}": ${field}${named ? ` of redactor "${named}"` : ''}, ${JSON.stringify(value) ?? 'absent'}: ${reason}`,
      { cause },
    )
  }
  const parsed = schema.safeParse(file.document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const path = issue?.path ?? []
    return fail(fieldOf(path), valueAt(file.document, path), issue?.message ?? 'not valid', parsed.error)
  }
  const compile = <T>(make: (source: string) => T, source: string, field: string): T => {
    try {
      return make(source)
    } catch (cause) {
      return fail(field, source, cause instanceof Error ? cause.message : String(cause), cause)
    }
  }
  return (parsed.data.spec.redactors ?? []).map((entry, index) => {
    const at = `spec.redactors[${index}]`
    const { file: one, files: many } = entry.fileSelector ?? {}
    const globs = [
      ...(one ? [compile(fileGlob, one, `${at}.fileSelector.file`)] : []),
      ...(many ?? []).map((glob, place) => compile(fileGlob, glob, `${at}.fileSelector.files[${place}]`)),
    ]
    return {
      name: entry.name || `unnamed-${index}`,
      values: entry.removals?.values ?? [],
      regex: (entry.removals?.regex ?? []).map(({ selector, redactor }, place) => ({
        ...(selector ? { selector: compile(goRegExp, selector, `${at}.removals.regex[${place}].selector`) } : {}),
        redactor: compile(goRegExp, redactor, `${at}.removals.regex[${place}].redactor`),
      })),
      yamlPath: (entry.removals?.yamlPath ?? []).map((path) => path.split('.')),
      selects: (path) => globs.length === 0 || globs.some((glob) => glob.test(path)),
    }
  })
}

function fieldOf(path: readonly PropertyKey[]): string {
  return (
    path.reduce<string>((field, key) => (typeof key === 'number' ? `${field}[${key}]` : field ? `${field}.${String(key)}` : String(key)), '') ||
    'the document'
  )
}

function valueAt(document: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined),
    document,
  )
}

function nameAt(document: unknown, field: string): string | undefined {
  const index = /^spec\.redactors\[(\d+)\]/.exec(field)?.[1]
  const name = index === undefined ? undefined : valueAt(document, ['spec', 'redactors', Number(index), 'name'])
  return typeof name === 'string' ? name : undefined
}
