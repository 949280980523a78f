/**
 * Reads a log to its end and keeps the last `limitBytes` of it, from the beginning of a line on. The API's own `limitBytes`
 * cuts at the other end, so that the last words of a container, which tell most, would be missing.
 */
export async function readEnd(body: ReadableStream<Uint8Array> | null, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const reader = body?.getReader()
  for (let read = await reader?.read(); read && !read.done; read = await reader?.read()) {
    chunks.push(read.value)
    bytes += read.value.length
    // One byte more than the limit stays: whether a line begins at the limit is known from it.
    for (let [first] = chunks; first && bytes - first.length > limitBytes; [first] = chunks) {
      bytes -= first.length
      chunks.shift()
    }
  }
  const all = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    all.set(chunk, at)
    at += chunk.length
  }
  if (bytes <= limitBytes) return all
  const end = all.subarray(bytes - limitBytes - 1)
  const begin = end.indexOf(0x0a) + 1
  // A last line that is longer than the limit is kept as far as it goes.
  return end.subarray(begin === end.length ? 1 : Math.max(1, begin))
}
