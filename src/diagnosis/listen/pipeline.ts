import { addCounts, bytesRead, type Cursor, digestOf, type End, type OpenArtifact, rotationGap, withGap } from '../cursor.ts'
import { join } from '../join.ts'
import type { RedactionStream, Redactor } from '../redact/redactor.ts'
import { artifactPath, type SegmentHeader } from '../segment.ts'
import { decodeLine, endOfArtifact, looksLikeText, parseBegin, prefixBytes } from './artifact-frame.ts'
import { parseEndLine } from './end-line.ts'
import { type LogLine, laterOf, maxLineBytes } from './log-lines.ts'
import { TextLines } from './text-lines.ts'

export interface PipelineOptions {
  /** Path in the bundle, for redactor files that select by file. */
  readonly name: string
  /** Stored text and artifacts are cut here, with a mark. */
  readonly maxBytes: number
  /** Whether binary artifacts may be stored, unredacted. */
  readonly binaryArtifacts: boolean
  /** Whether the container is ours and prints the end line. */
  readonly endLine: boolean
}

export interface Piece {
  readonly header: SegmentHeader
  readonly body: Uint8Array
}

/** Text is given to the redactor in portions of about this size. */
const heldChars = 32_768
const withheld = '# autodiagnose: a line was withheld here, for the line before the artifact may name it a secret\n'

/** Turns lines of a log into pieces for segments: artifacts are decoded first, then text is redacted. */
export class Pipeline {
  private cursor: Cursor
  private readonly redactor: Redactor
  private readonly options: PipelineOptions
  private stream: RedactionStream
  private readonly artifactLines = new TextLines()
  private out: (string | Uint8Array)[] = []
  private size = 0
  /** Text on its way to the redactor, which is much faster on many lines than on each. */
  private held: string[] = []
  private heldSize = 0
  private last: Uint8Array | undefined
  /** The beginning of an artifact that is undecided. */
  private prefix: Uint8Array[] = []
  private prefixSize = 0
  private readonly decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })

  constructor(cursor: Cursor, redactor: Redactor, options: PipelineOptions) {
    this.cursor = cursor
    this.redactor = redactor
    this.options = options
    this.stream = this.open()
  }

  /** Bytes that the next piece would have, about. */
  get pending(): number {
    return this.size + this.heldSize
  }

  /** Whether lines were consumed that no piece holds yet. */
  get dirty(): boolean {
    return this.pending > 0 || this.last !== undefined
  }

  get neutral(): boolean {
    this.settle()
    return this.stream.neutral && this.artifactLines.neutral && this.cursor.artifact?.kind !== 'undecided'
  }

  /** Lines of the log consumed so far. */
  get lines(): number {
    return this.cursor.lines
  }

  /** As {@link bytesRead} of the cursor, with what no piece holds yet. */
  get read(): number {
    return bytesRead(this.cursor)
  }

  get ended(): End | undefined {
    return this.cursor.end
  }

  /** Consumes a line. Pieces that had to be cut because an artifact begins or ends come first. */
  take(line: LogLine): readonly Piece[] {
    const text = this.decoder.decode(line.bytes)
    const artifact = this.cursor.artifact
    const pieces: Piece[] = []
    if (artifact && text === endOfArtifact) {
      this.advance(line)
      const fate = this.decide() === 'dropped' ? 'was binary and is not stored: policy evidence.binaryArtifacts is off' : 'is in the bundle'
      const hole = artifact.gap === undefined ? '' : `, but not whole: ${artifact.gap}`
      return [this.leaveArtifact(`# artifact ${artifact.name} ${fate}${hole}\n`)]
    }
    if (artifact) {
      const bytes = decodeLine(text)
      if (bytes) {
        this.advance(line)
        this.decode(artifact.kind, bytes)
        return pieces
      }
      // Whoever printed it broke off, and what follows is text again.
      this.cursor = withGap(this.cursor, `the artifact ${artifact.name} was not finished`)
      pieces.push(this.leaveArtifact(`# artifact ${artifact.name} was not finished\n`))
    }
    const begun = parseBegin(text)
    if (begun !== undefined) {
      if (!this.neutral) this.cursor = { ...this.cursor, withhold: true }
      if (this.dirty) pieces.push(this.cutNow())
      this.advance(line)
      this.cursor = {
        ...this.cursor,
        artifacts: this.cursor.artifacts + 1,
        artifact: { name: begun, index: this.cursor.artifacts + 1, kind: 'undecided' },
      }
      this.stream = this.open()
      return pieces
    }
    const end = this.options.endLine ? parseEndLine(text) : undefined
    const proven = end !== undefined && end.lines === this.cursor.lines && end.bytes === this.cursor.bytes
    if (end && !proven) {
      this.gap(`the end line says ${end.lines} lines and ${end.bytes} bytes, read were ${this.cursor.lines} and ${this.cursor.bytes}`)
    }
    this.advance(line)
    const cut = line.length > maxLineBytes
    if (cut) this.gap(`a line of ${line.length} bytes was cut after ${maxLineBytes}`)
    if (this.cursor.withhold && !text.startsWith('# autodiagnose ')) {
      const { withhold: _, ...cursor } = this.cursor
      this.cursor = cursor
      this.text(withheld)
    } else this.text(text + (cut ? ` [autodiagnose: ${line.length - maxLineBytes} bytes of this line were dropped]` : '') + (line.ended ? '\n' : ''))
    if (proven) this.cursor = { ...this.cursor, gaps: this.cursor.gaps.filter((gap) => gap !== rotationGap), end: 'proven' }
    return pieces
  }

  /** Notes what is missing, in the log where it is missing, and for the outcome. */
  gap(sentence: string): void {
    this.cursor = withGap(this.cursor, sentence)
    const { artifact } = this.cursor
    if (!artifact) {
      this.text(`# autodiagnose gap: ${sentence}\n`)
      return
    }
    // Its rows go on, and must not become text of the log: they would pass the redactor undecoded.
    const kind = this.decide() ?? artifact.kind
    this.cursor = { ...this.cursor, artifact: { ...artifact, kind, gap: sentence } }
    if (kind === 'text') this.text(`${this.artifactLines.flush()}\n# autodiagnose gap: ${sentence}\n`)
  }

  /** Whether the byte cap is reached: listening must end. */
  get full(): boolean {
    return this.cursor.stored + this.pending > this.options.maxBytes
  }

  /** The pending piece; only to be asked for where {@link neutral}. */
  cut(): Piece {
    return this.cutNow()
  }

  /** Ends the log: the last pieces, of which the very last carries the end. */
  finish(end: End): readonly Piece[] {
    const pieces: Piece[] = []
    const artifact = this.cursor.artifact
    if (artifact) {
      this.cursor = withGap(this.cursor, `the artifact ${artifact.name} was not finished`)
      pieces.push(this.leaveArtifact(`# artifact ${artifact.name} was not finished\n`))
    }
    if (end === 'cut') this.text(`# autodiagnose cut: the stored log ends here, after ${this.options.maxBytes} bytes\n`)
    this.cursor = { ...this.cursor, end }
    pieces.push(this.cutNow())
    return pieces
  }

  private open(): RedactionStream {
    const artifact = this.cursor.artifact
    return this.redactor.open(artifact ? artifactPath(this.options.name, artifact) : this.options.name)
  }

  private advance(line: LogLine): void {
    const { latest: before, ...cursor } = this.cursor
    const seen = before ?? cursor.time
    const latest = seen !== undefined && line.time !== undefined ? laterOf(seen, line.time) : seen
    const sameTime = line.time === cursor.time ? cursor.sameTime + 1 : 1
    this.last = line.bytes
    this.cursor = {
      ...cursor,
      sameTime,
      lines: cursor.lines + 1,
      bytes: cursor.bytes + line.length + (line.ended ? 1 : 0),
      ...(line.time === undefined ? {} : { time: line.time }),
      ...(latest === undefined || latest === (line.time ?? cursor.time) ? {} : { latest }),
    }
  }

  private text(text: string): void {
    this.held.push(text)
    this.heldSize += text.length
    if (this.heldSize >= heldChars) this.settle()
  }

  private settle(): void {
    if (this.heldSize === 0) return
    const text = this.held.join('')
    this.held = []
    this.heldSize = 0
    this.add(this.stream.push(text))
  }

  private add(piece: string | Uint8Array): void {
    if (piece.length === 0) return
    this.out.push(piece)
    this.size += piece.length
  }

  private decode(kind: OpenArtifact['kind'], bytes: Uint8Array): void {
    if (kind === 'text') this.text(this.artifactLines.push(bytes))
    else if (kind === 'binary') this.add(bytes)
    else if (kind === 'undecided') {
      this.prefix.push(bytes)
      this.prefixSize += bytes.length
      if (this.prefixSize >= prefixBytes) this.decide()
    }
  }

  /** What the open artifact is, by what was read of it until now. */
  private decide(): OpenArtifact['kind'] | undefined {
    const { artifact } = this.cursor
    if (artifact?.kind !== 'undecided') return artifact?.kind
    const bytes = join(this.prefix, this.prefixSize)
    this.prefix = []
    this.prefixSize = 0
    const kind = looksLikeText(bytes) ? 'text' : this.options.binaryArtifacts ? 'binary' : 'dropped'
    this.cursor = { ...this.cursor, artifact: { ...artifact, kind } }
    this.decode(kind, bytes)
    return kind
  }

  /** Cuts the artifact's last chunk; text follows, and begins with what became of it. */
  private leaveArtifact(fate: string): Piece {
    const piece = this.cutNow()
    this.cursor = without(this.cursor)
    this.stream = this.open()
    this.text(fate)
    return piece
  }

  /** Whatever redactor and decoder still hold is let go here, so that the cursor behind the piece is neutral. */
  private cutNow(): Piece {
    this.decide()
    const { cursor } = this
    if (!this.artifactLines.neutral) this.text(this.artifactLines.flush())
    this.settle()
    this.add(this.stream.flush())
    const body = encode(this.out)
    const digest = this.last ? digestOf(this.last) : cursor.digest
    this.cursor = {
      ...cursor,
      segment: cursor.segment + 1,
      stored: cursor.stored + body.length,
      redactions: addCounts(cursor.redactions, this.stream.counts),
      ...(digest === undefined ? {} : { digest }),
    }
    const { artifact } = cursor
    this.out = []
    this.size = 0
    this.last = undefined
    this.stream = this.open()
    return {
      header: {
        cursor: this.cursor,
        ...(artifact ? { artifact: { name: artifact.name, index: artifact.index, binary: artifact.kind === 'binary' } } : {}),
      },
      body,
    }
  }
}

function without({ artifact: _, ...cursor }: Cursor): Cursor {
  return cursor
}

function encode(pieces: readonly (string | Uint8Array)[]): Uint8Array {
  const encoder = new TextEncoder()
  if (pieces.every((piece) => typeof piece === 'string')) return encoder.encode(pieces.join(''))
  const parts = pieces.map((piece) => (typeof piece === 'string' ? encoder.encode(piece) : piece))
  return join(
    parts,
    parts.reduce((sum, part) => sum + part.length, 0),
  )
}
