import type { ContainerRecord, Finding, Refusal } from './diagnosis.ts'

/** A diagnosis beside that of a healthy replica of the same workload, made by the same checks. All text in it has passed the redactor and is bounded. */
export interface Comparison {
  /** The healthy replica; absent where none was looked at. */
  readonly twin?: Twin
  /** Why there is no replica to compare with, or not all of it; one sentence. */
  readonly explanation?: string
  /** Why no container was added to the replica. */
  readonly refusal?: Refusal
  /** What was added to the replica. */
  readonly containers: readonly ContainerRecord[]
  /** What the two pods were told to be, where that differs: images, nodes, resources, configuration. */
  readonly specs: readonly SpecDifference[]
  /** What the checks printed of one of the two alone, by check. */
  readonly facts: readonly FactDifference[]
  /** What was found in the replica alone. */
  readonly findings: readonly TwinFinding[]
}

export interface Twin {
  readonly name: string
  readonly uid: string
  readonly node?: string
  readonly container?: string
}

export interface SpecDifference {
  /** In words: `image of container app`. */
  readonly what: string
  readonly target: string
  readonly twin: string
}

export interface FactDifference {
  readonly check: string
  /** Lines that the target's log has alone, and those that the replica's has alone. */
  readonly target: readonly string[]
  readonly twin: readonly string[]
}

export type TwinFinding = Pick<Finding, 'id' | 'check' | 'severity' | 'title'>

/** Under which the store keeps what belongs to the replica: its evidence and the segments of its containers. */
export function twinOf(id: string): string {
  return `${id}/twin`
}
