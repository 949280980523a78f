import { type Cursor, digestOf } from '../cursor.ts'
import { compareTimes, type LogLine } from './log-lines.ts'

/**
 * Finds in a reopened log the place behind the last consumed line. `sinceTime` reaches the kubelet in whole seconds, so the
 * stream begins with lines that were consumed already; distinct lines may share a timestamp, so only the position tells.
 */
export class Resume {
  private same = 0
  private found: boolean
  private readonly cursor: Cursor

  constructor(cursor: Cursor) {
    this.cursor = cursor
    this.found = cursor.time === undefined
  }

  /** Whether the place was found. A stream that ended before it did not hold the log to its end. */
  get settled(): boolean {
    return this.found
  }

  /**
   * Whether the line is still to be consumed. `lost`: it is, and the last consumed line is no longer there: rotation took it,
   * and perhaps others between.
   */
  judge(line: LogLine): 'old' | 'new' | 'lost' {
    if (this.found) return 'new'
    const last = this.cursor.time as string
    // The rest of a line that began before the second we asked for, or the kubelet's words; neither is new.
    if (line.time === undefined) return 'old'
    const order = compareTimes(line.time, last)
    if (order < 0) return 'old'
    if (order === 0) {
      this.same += 1
      if (this.same < this.cursor.sameTime) return 'old'
      this.found = true
      return digestOf(line.bytes) === this.cursor.digest ? 'old' : 'lost'
    }
    this.found = true
    return 'lost'
  }
}
