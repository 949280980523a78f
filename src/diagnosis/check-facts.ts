/** What the service has to know of a check of our image; its head, in diagnostics/checks, says the rest. */
export interface CheckFacts {
  readonly name: string
  /** Run where none is asked for. */
  readonly byDefault: boolean
  /** The least security profile under which it does its work. */
  readonly profile: string
  /** It looks into the target's processes, and sees nothing of another user's. */
  readonly seesTarget: boolean
  /** It pauses the target for a while, and runs only when it is named. */
  readonly pauses: boolean
  readonly param: 'none' | 'optional' | 'required'
  /** Where it needs a parameter. */
  readonly example?: string
  /** Programs that the image of its toolset brings. */
  readonly tools: readonly string[]
}
