import { type Cursor, digestOf } from '../cursor.ts'
import { compareTimes, type LogLine } from './log-lines.ts'

/**
 * Finds in a reopened log the place behind the last consumed line. `sinceTime` reaches the kubelet in whole seconds, so the
 * stream begins with lines that were consumed already; distinct lines may share a timestamp, or be out of order, so only the position tells.
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
    if (line.time === last) {
      this.same += 1
      if (this.same >= this.cursor.sameTime && digestOf(line.bytes) === this.cursor.digest) this.found = true
      return 'old'
    }
    // Lines may be out of order: only one that is later than all that were consumed says that the place is gone.
    if (compareTimes(line.time, this.cursor.latest ?? last) <= 0) return 'old'
    this.found = true
    return 'lost'
  }
}
