import type { Deps } from '../../deps.ts'

/** What is kept under the name `injection` in the records. */
export interface InjectionSwitch {
  readonly paused: boolean
  /** Who paused or resumed it last; absent: the service itself. */
  readonly by?: string
  readonly at?: string
  /** Diagnoses whose target was harmed since the last resume. */
  readonly harmed: readonly string[]
}

const key = 'injection'
const never: InjectionSwitch = { paused: false, harmed: [] }

/** Whether nothing may be injected now: by configuration, by an operator, or because targets were harmed. */
export async function isPaused(deps: Pick<Deps, 'config' | 'records'>): Promise<boolean> {
  return deps.config.harm.paused || (await readSwitch(deps)).paused
}

export async function readSwitch(deps: Pick<Deps, 'records'>): Promise<InjectionSwitch> {
  return (await deps.records.getValue<InjectionSwitch>(key)) ?? never
}

/** An operator pauses or resumes injection; resuming forgets the targets that were harmed. */
export async function setPaused(paused: boolean, by: string, deps: Pick<Deps, 'records' | 'clock'>): Promise<InjectionSwitch> {
  const at = new Date(deps.clock.now()).toISOString()
  return deps.records.changeValue<InjectionSwitch>(key, (before = never) => ({ paused, by, at, harmed: paused ? before.harmed : [] }))
}

/** Notes a harmed target, once a diagnosis; after `harm.pauseAfter` of them injection pauses by itself. */
export async function noteHarm(id: string, deps: Pick<Deps, 'config' | 'records' | 'clock'>): Promise<InjectionSwitch> {
  const at = new Date(deps.clock.now()).toISOString()
  return deps.records.changeValue<InjectionSwitch>(key, (before = never) => {
    if (before.harmed.includes(id)) return before
    const harmed = [...before.harmed, id]
    return harmed.length < deps.config.harm.pauseAfter || before.paused ? { ...before, harmed } : { paused: true, at, harmed }
  })
}
