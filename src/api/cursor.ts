import { Problem } from './problem.ts'

type Filter = Readonly<Record<string, string | undefined>>

/** Opaque to callers: the id of a page's last item, bound to the filters of the list. */
export async function makeCursor(filter: Filter, lastId: string): Promise<string> {
  return `${lastId}.${await digest(filter)}`
}

/** The id behind which to go on. Throws a {@link Problem} if the cursor is not ours, or of another list. */
export async function readCursor(cursor: string, filter: Filter, idPattern: RegExp): Promise<string> {
  const [id = '', filterDigest, ...rest] = cursor.split('.')
  const wrong = (message: string) =>
    new Problem('invalid-cursor', `${message}: "${cursor.slice(0, 100)}"`, { errors: [{ field: 'cursor', value: cursor.slice(0, 100), message }] })
  if (!idPattern.test(id) || filterDigest === undefined || rest.length > 0 || !/^[0-9a-f]{16}$/.test(filterDigest)) {
    throw wrong('Not a cursor of this service; take it from next of the page before')
  }
  if (filterDigest !== (await digest(filter))) throw wrong('This cursor belongs to a list with other filters; begin again without a cursor')
  return id
}

async function digest(filter: Filter): Promise<string> {
  const pairs = Object.entries(filter).filter(([, value]) => value !== undefined)
  const text = JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)))
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)))
  return Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
