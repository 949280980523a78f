import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

/** Reads Troubleshoot's redactor files, several documents a file. Throws naming the file. */
export function readRedactorFiles(files: readonly string[]): readonly { readonly name: string; readonly document: unknown }[] {
  return files.flatMap((name) => {
    try {
      return parseAllDocuments(readFileSync(name, 'utf8')).map((document) => {
        const [problem] = document.errors
        if (problem) throw problem
        return { name, document: document.toJS() as unknown }
      })
    } catch (cause) {
      throw new Error(`Cannot read redactor file "${name}" (redaction.files): ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  })
}
