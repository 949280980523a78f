const maxWaitSeconds = 60

/** Seconds of `Prefer: wait=N`, at most 60; undefined without it, or where it makes no sense: https://www.rfc-editor.org/rfc/rfc7240#section-4.3 */
export function waitOf(header: string | undefined): number | undefined {
  for (const preference of (header ?? '').split(',')) {
    const [, seconds] = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference) ?? []
    // The first of several counts.
    if (seconds !== undefined) return Math.min(Number(seconds), maxWaitSeconds)
  }
  return undefined
}
