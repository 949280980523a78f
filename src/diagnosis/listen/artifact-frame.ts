/** The first line of an artifact in the log, POSIX `uuencode -m`: `begin-base64 644 name`. */
export function parseBegin(line: string): string | undefined {
  const match = /^begin-base64 [0-7]{3,4} (\S.{0,199})$/.exec(line)
  return match?.[1] === undefined ? undefined : safeName(match[1])
}

export const endOfArtifact = '===='

/** Bytes of one line of base64, or undefined if it is none. Lines decode on their own: uuencode ends each at a multiple of four. */
export function decodeLine(line: string): Uint8Array | undefined {
  if (line.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(line)) return undefined
  const text = atob(line)
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at)
  return bytes
}

/** Whether an artifact is a text is told by its first bytes, of this many. */
export const prefixBytes = 4096

/**
 * Whether the first bytes of an artifact are those of a text: valid UTF-8 without NUL. Other control characters occur in texts, as
 * those of colours and overstrikes do; what is taken for binary, though, may be stored as it is.
 */
export function looksLikeText(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return false
  try {
    // A character may go on behind them.
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}

/** The name comes from inside the pod: it names a file in the bundle, and nothing else. */
function safeName(name: string): string {
  const safe = name.replace(/[^A-Za-z0-9._-]+/g, '_').replace(/^[._]+/, '')
  return safe === '' ? 'artifact' : safe.slice(0, 100)
}
