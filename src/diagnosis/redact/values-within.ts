import { type Value, valueAt } from './secret-value.ts'

/** Keys under which an object holds its value. */
const held = /[{,]\s{0,8}(?:\\{0,15}["'])?(?:values?|plain(?:text)?|raw)(?:\\{0,15}["'])?\s{0,4}(?:=>|[:=])\s{0,4}(?=\S)/gi
const quote = /\s{0,16}(?=[bru]?\\{0,15}["'`])/y
const next = /(?:\\{0,15}["'`])?\s{0,4},/y
/** An object is looked into this far. */
const near = 256

/** The quoted values of the list that begins at `from`, where one value should be: `["…", "…"]`. */
export function valuesInList(line: string, from: number): readonly Value[] {
  const values: Value[] = []
  for (let at = from + 1; ; ) {
    quote.lastIndex = at
    if (!quote.test(line)) return values
    const value = valueAt(line, quote.lastIndex, 'word')
    values.push(value)
    next.lastIndex = value.to
    if (!next.test(line)) return values
    at = next.lastIndex
  }
}

/** What the object that begins at `from` holds as its value: `{"type": "…", "value": "…"}`. */
export function valuesInObject(line: string, from: number): readonly Value[] {
  const [head = ''] = line.slice(from, from + near).split('}', 1)
  return [...head.matchAll(held)].flatMap(({ index, 0: { length } }) => {
    const at = from + index + length
    if (line[at] === '[') return valuesInList(line, at)
    return line[at] === '{' ? [] : [valueAt(line, at, 'word')]
  })
}
