/** An object of etcd has 1.5 MiB at most; a list of a namespace's pods, or 500 events, may have some more. */
const maxBytes = 16 * 1024 * 1024

export class AnswerTooLong extends Error {
  override readonly name = 'AnswerTooLong'
}

/** The body as text; throws {@link AnswerTooLong} once it is longer than 16 MiB, lest an answer take all the memory that a Worker has. */
export async function boundedText({ body }: Response): Promise<string> {
  if (!body) return ''
  const decoder = new TextDecoder()
  const reader = body.getReader()
  const pieces: string[] = []
  let bytes = 0
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    bytes += read.value.byteLength
    if (bytes > maxBytes) {
      await reader.cancel().catch(() => undefined)
      throw new AnswerTooLong(`its answer has more than ${maxBytes / 1024 ** 2} MiB`)
    }
    pieces.push(decoder.decode(read.value, { stream: true }))
  }
  return pieces.join('') + decoder.decode()
}
