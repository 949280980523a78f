/** What every store can hold, with room for a prefix in S3's 1024 bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const maxKeyBytes = 900
/** What file systems can hold between two slashes. */
const maxPartBytes = 255

/**
 * Throws a TypeError unless the key may name an object: parts between slashes, none of them empty, `.` or `..`; well-formed
 * Unicode without control characters; at most 900 bytes, 255 a part. A key may not be the beginning of another one's parts
 * (`a` and `a/b`): a store of files cannot hold both.
 */
export function assertKey(key: string): void {
  const wrong = complaint(key)
  if (wrong) throw new TypeError(`Cannot use object key ${JSON.stringify(key)}: ${wrong}`)
}

/** The same for the beginning of keys; '' begins all of them. */
export function assertPrefix(prefix: string): void {
  const whole = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix
  if (prefix !== '') assertKey(whole)
}

function complaint(key: string): string | undefined {
  if (!key.isWellFormed()) return 'it is no well-formed Unicode'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for; neither XML nor file systems take them all
  if (/[\u0000-\u001f\u007f]/.test(key)) return 'it has a control character'
  const parts = key.split('/')
  if (parts.includes('')) return 'it is empty, or has an empty part between its slashes'
  if (parts.includes('.') || parts.includes('..')) return 'it has a part "." or ".."'
  if (bytes(key) > maxKeyBytes) return `it is ${bytes(key)} bytes long, at most ${maxKeyBytes} are allowed`
  if (parts.some((part) => bytes(part) > maxPartBytes)) return `it has a part of more than ${maxPartBytes} bytes`
  return undefined
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).byteLength
}
