/** The last line that the runner prints: counts of all lines and bytes before it, newlines included. See docs/contract.md. */
export function parseEndLine(line: string): { readonly lines: number; readonly bytes: number } | undefined {
  const match = /^# autodiagnose end lines=(\d{1,15}) bytes=(\d{1,15})$/.exec(line)
  return match ? { lines: Number(match[1]), bytes: Number(match[2]) } : undefined
}
