/** The head of a check: the comment lines below its first. docs/contract.md says what stands in it. */
export interface CheckHeader {
  readonly name: string
  /** What it tells, in a sentence or two. */
  readonly summary: string
  /** Ids of its findings, with words in capitals for what varies; empty: it only shows. */
  readonly tells: readonly string[]
  /** The least security profile under which it does its work. */
  readonly profile: string
  /** Programs beside busybox. */
  readonly tools: readonly string[]
  /** As whom it must run to see what it looks for. */
  readonly uid: 'any' | 'target' | 'root'
  /** Peak beside the idle runner, in KiB, and CPU and time in seconds: measured. */
  readonly memoryKib: number
  readonly cpuSeconds: number
  readonly timeSeconds: number
  /** It pauses the target: only for who asks for it by name. */
  readonly pauses: boolean
  readonly param: 'none' | 'optional' | 'required'
  /** Of a check with a required parameter: `http=http://cart:8080/`. */
  readonly example?: string
}

export type Read = { readonly ok: true; readonly header: CheckHeader } | { readonly ok: false; readonly complaints: readonly string[] }

const fields = ['Tells', 'Needs', 'Costs', 'Disturbs', 'Param'] as const
type Field = (typeof fields)[number]

const profiles = ['restricted', 'baseline', 'general', 'netadmin', 'sysadmin']
const patterns = {
  Tells: /^(nothing by itself|[a-z0-9-]+\/\S+(, +[a-z0-9-]+\/\S+)*)$/,
  Needs: /^profile (?<profile>[a-z]+)(,[^;]*)?; tool (?<tools>[a-z0-9. -]+)(,[^;]*)?; uid (?<uid>any|target|root)\b(,.*)?\.?$/,
  Costs: /^memory (?<memory>\d+(\.\d+)?) MiB, cpu (?<cpu>\d+(\.\d+)?) s, time (?<time>\d+(\.\d+)?) s\b/,
  Disturbs: /^(no\b|pauses the target for at most \d+(\.\d+)? s\b)/,
  Param: /^(none\.?|optional [A-Z].*|required, as in \S+=\S+.*)$/,
} as const

const forms: Readonly<Record<Field, string>> = {
  Tells: 'the ids of its findings, between commas, as in "processes/stopped, dns/NAME/nxdomain", or "nothing by itself"',
  Needs: 'as in "profile restricted; tool busybox; uid target."',
  Costs: 'as measured, in the form "memory 1.5 MiB, cpu 0.1 s, time 2 s."',
  Disturbs: '"no." or "pauses the target for at most 2 s."',
  Param: '"none.", "optional PORT, …" or "required, as in http=http://cart:8080/."',
}

/** Reads the head of the check `name`; all that is wrong with it is told at once. */
export function readCheckHeader(name: string, text: string): Read {
  const { summary, values } = split(text)
  const complaints: string[] = []
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)) complaints.push('the name of a check is of lower-case letters, digits and dashes')
  if (summary === '') complaints.push('say in the first comment line what the check tells')
  const groups: Partial<Record<Field, Record<string, string | undefined>>> = {}
  for (const field of fields) {
    const value = values.get(field)
    const match = value === undefined ? undefined : patterns[field].exec(value)
    if (match) groups[field] = match.groups ?? {}
    else
      complaints.push(
        `${value === undefined ? `the line "# ${field}:" is missing` : `"# ${field}: ${value}" is not understood`}; expected ${forms[field]}`,
      )
  }
  const [needs, costs] = [groups.Needs ?? {}, groups.Costs ?? {}]
  if (groups.Needs && !profiles.includes(needs.profile ?? '')) complaints.push(`"${needs.profile}" is no profile; known are ${profiles.join(', ')}`)
  if (complaints.length > 0) return { ok: false, complaints }
  const of = (field: Field): string => values.get(field) ?? ''
  const example = /^required, as in (\S+=\S*[^\s.,;])/.exec(of('Param'))?.[1]
  return {
    ok: true,
    header: {
      name,
      summary,
      tells: of('Tells').startsWith('nothing') ? [] : of('Tells').split(/, +/),
      profile: needs.profile ?? '',
      tools: (needs.tools ?? '').split(' ').filter((tool) => tool !== '' && tool !== 'none' && tool !== 'busybox'),
      uid: needs.uid as CheckHeader['uid'],
      memoryKib: Math.ceil(Number(costs.memory) * 1024),
      cpuSeconds: Number(costs.cpu),
      timeSeconds: Number(costs.time),
      pauses: of('Disturbs').startsWith('pauses'),
      param: of('Param').startsWith('none') ? 'none' : of('Param').startsWith('optional') ? 'optional' : 'required',
      ...(example === undefined ? {} : { example }),
    },
  }
}

/** The words before the first field, and each field's value; a line with three spaces continues the one before. */
function split(text: string): { readonly summary: string; readonly values: ReadonlyMap<string, string> } {
  const values = new Map<string, string>()
  const summary: string[] = []
  let current: string | undefined
  for (const line of text.split('\n').slice(1)) {
    const [, comment] = /^# ?(.*)$/.exec(line) ?? []
    if (comment === undefined) break
    const [, field, value] = /^(Tells|Needs|Costs|Disturbs|Param): +(.*)$/.exec(comment) ?? []
    if (field !== undefined && value !== undefined) {
      current = field
      values.set(field, value.trim())
    } else if (current !== undefined && comment.startsWith('  ')) values.set(current, `${values.get(current)} ${comment.trim()}`)
    else if (current === undefined) summary.push(comment.trim())
    else break
  }
  return { summary: summary.join(' ').trim(), values }
}
