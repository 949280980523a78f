/** A line of facts: what it says without its numbers, and the numbers. */
export interface Measured {
  /** The same for lines that differ by numbers, addresses and ids alone. */
  readonly shape: string
  readonly numbers: readonly Amount[]
}

interface Amount {
  readonly value: number
  readonly unit: Unit
}

type Unit = 'bytes' | 'ms' | 'percent' | 'plain'

const bytes: Readonly<Record<string, number>> = { B: 1, kB: 1e3, KB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }
const milliseconds: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

/** From this port on, the kernel gives them out by chance. */
const ephemeralPort = 32_768

/** What differs between any two pods: never a difference worth telling. */
const always: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g, 'TIME'],
  [/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, 'ID'],
  [/\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, 'ID'],
  // A row of the table of processes: pid, state, parent.
  [/^(\s*)\d+(\s+[RSDZTtIXWPK]\s+)\d+(?=\s)/, '$1PID$2PID'],
  [/\b(pid|process|parent|by)([ =])\d+\b/gi, '$1$2PID'],
  [/\binode[ =]\d+/gi, 'inode'],
]

/** Takes a line apart. `names`: of the pod, its address and the like, which say only whose line it is. */
export function measure(line: string, names: readonly string[]): Measured {
  let text = line
  for (const name of names) if (name.length > 2) text = text.replaceAll(name, 'SELF')
  for (const [pattern, word] of always) text = text.replace(pattern, word)
  text = withoutAddresses(text)
  const numbers: Amount[] = []
  const shape = text
    // The port of a server says what it is, and is no amount.
    .replace(/:(\d{1,5})\b/g, (_, port: string) => (Number(port) >= ephemeralPort ? ':PORT' : `:${words(port)}`))
    .replace(
      /(?<![\w.])(\d+(?:\.\d+)?)(?:(\s?)(B|kB|KB|MB|GB|KiB|MiB|GiB|us|ms|s|%)(?![\w]))?(?![\w])/g,
      (_, number: string, _blank, unit?: string) => {
        const amount = amountOf(Number(number), unit)
        numbers.push(amount)
        return `#${amount.unit}`
      },
    )
  return { shape: shape.replace(/\s+/g, ' ').trim(), numbers }
}

/** Digits as letters, to be no number any more. */
const words = (digits: string): string => digits.replace(/\d/g, (digit) => 'abcdefghij'.charAt(Number(digit)))

/** The loopback and the unspecified address say who may connect; all others differ. */
function withoutAddresses(text: string): string {
  return text
    .replace(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, (address) => (/^(0\.0\.0\.0|127\.)/.test(address) ? words(address) : 'ADDRESS'))
    .replace(/(?<![\w:])(?=[0-9a-f]*:[0-9a-f]*:)[0-9a-f:]{4,39}(?![\w:])/gi, (address) => (address === '::1' ? 'LOOPBACK' : 'ADDRESS'))
}

function amountOf(value: number, unit?: string): Amount {
  if (unit === '%') return { value, unit: 'percent' }
  if (unit !== undefined && unit in bytes) return { value: value * (bytes[unit] ?? 1), unit: 'bytes' }
  if (unit !== undefined && unit in milliseconds) return { value: value * (milliseconds[unit] ?? 1), unit: 'ms' }
  return { value, unit: 'plain' }
}

/** From when on two amounts are told apart: by this factor, and by this much. */
const telling: Readonly<Record<Unit, readonly [factor: number, least: number]>> = {
  bytes: [2, 1024 ** 2],
  ms: [5, 200],
  percent: [1.25, 20],
  plain: [2, 10],
}

/** Whether the numbers of two lines of one shape are of another magnitude. */
export function farApart(a: Measured, b: Measured): boolean {
  return a.numbers.some(({ value, unit }, at) => {
    const other = b.numbers[at]?.value ?? value
    const [factor, least] = telling[unit]
    const [low, high] = [Math.min(value, other), Math.max(value, other)]
    return high - low >= least && high >= low * factor
  })
}
