import { hidden } from './redactor.ts'
import type { Stage } from './stage.ts'

/** Keys of a diagnostic block that our checks print. Other YAML keeps its mask as Troubleshoot writes it, without quotes. */
const field = new RegExp(String.raw`^( {2,16}(?:check|id|severity|evidence|cause|next): )(${hidden.replaceAll('*', String.raw`\*`)}[^\r\n]*)`, 'gm')

/**
 * Quotes a value of TAP's diagnostic YAML that begins with the mask: an asterisk there is an alias, and a reader would drop the whole block.
 * Needs the line alone. Comes last, so that it sees the masks of redactor files too.
 */
export const tapStage: Stage = {
  idle: true,
  lines: (text) =>
    text.includes(`: ${hidden}`) ? text.replace(field, (_, key: string, value: string) => key + JSON.stringify(value.trimEnd())) : text,
}
