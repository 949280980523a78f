import { builtInStage } from './built-in-stage.ts'
import { fileStages } from './file-stages.ts'
import { LineStream, Tally } from './line-stream.ts'
import { hideHeadlessKey } from './private-key.ts'
import { redactJson, redactJsonText } from './redact-json.ts'
import type { Redactor } from './redactor.ts'
import { hitsIn } from './rules.ts'
import { tapStage } from './tap-stage.ts'
import { type RedactorFile, readRedactorFile } from './troubleshoot.ts'
import { hideAtPath, hideInDocument } from './yaml-path.ts'

export interface RedactorOptions {
  /** Redactor files of Troubleshoot, used after the built-in rules, in this order. Default: none. */
  readonly files?: readonly RedactorFile[]
}

/** Characters of a line of a whole text, beyond which it is dropped: a pod as JSON on one line is longer than a line of a log may be. */
const longestLineOfText = 1_048_576

/** The redactor with the built-in rules and those of the redactor files. Throws where a file is wrong, naming file, redactor and field. */
export function makeRedactor({ files = [] }: RedactorOptions = {}): Redactor {
  const redactors = files.flatMap(readRedactorFile)
  const selected = (name: string) => redactors.filter((redactor) => redactor.selects(name))
  const ownStages = (name: string, tally: Tally) => selected(name).flatMap((redactor) => fileStages(redactor, tally.add))

  /** Each place that a yamlPath names. */
  const paths = (name: string, tally: Tally) =>
    selected(name).flatMap(({ name: redactor, yamlPath }) =>
      yamlPath.map((path, index) => ({ path, count: () => tally.add(`${redactor}.yaml.${index}`) })),
    )

  function whole(name: string, text: string, tally: Tally): string {
    const withoutHeadless = hideHeadlessKey(text, () => tally.add('private-key'))
    const stream = new LineStream([builtInStage(tally.add), ...ownStages(name, tally), tapStage], tally, longestLineOfText)
    return stream.push(withoutHeadless) + stream.flush()
  }

  return {
    open(name) {
      const tally = new Tally()
      return new LineStream([builtInStage(tally.add), ...ownStages(name, tally), tapStage], tally)
    },
    text(name, text) {
      const tally = new Tally()
      const document = paths(name, tally).reduce((out, { path, count }) => hideInDocument(name, out, path, count), text)
      return { text: whole(name, document, tally), counts: tally.counts }
    },
    json<T>(name: string, value: T) {
      const tally = new Tally()
      const own = selected(name).length > 0
      const string = (text: string) => (own || text.length > longestLineOfText || hitsIn(text)(0) >= 0 ? whole(name, text, tally) : text)
      let out = redactJson(value, string, tally.add)
      for (const { path, count } of paths(name, tally)) for (let places = hideAtPath(out, path); places > 0; places--) count()
      for (const stage of ownStages(name, tally)) out = redactJsonText(out, (text) => stage.lines(text))
      return { value: out as T, counts: tally.counts }
    },
  }
}
