import type { Deps } from '../../deps.ts'
import type { Refusal } from '../diagnosis.ts'

/** A diagnosis at work on a node, until when at the latest, in milliseconds since the epoch. */
interface Place {
  readonly id: string
  readonly until: number
}

export interface PlaceRequest {
  readonly cluster: string
  /** Absent: the pod is on none, or the API does not tell. */
  readonly node: string | undefined
  readonly id: string
  readonly until: number
}

type PlaceDeps = Pick<Deps, 'records' | 'clock' | 'config'>

/** How long a diagnosis waits for a place, and how often it looks. */
const waitMs = 60_000
const pauseMs = 2000

const keyOf = (cluster: string, node: string) => `node:${cluster}/${node}`

/**
 * Takes one of the `harm.perNode` places of a node, waiting up to a minute for one: an alert about a node names many pods of it at once.
 * Taking it again is no change. Returns why there is none, or undefined.
 */
export async function takePlace(request: PlaceRequest, deps: PlaceDeps, signal: AbortSignal): Promise<Refusal | undefined> {
  const { cluster, node, id, until } = request
  if (node === undefined) return undefined
  const { perNode } = deps.config.harm
  for (const giveUpAt = deps.clock.now() + waitMs; ; ) {
    const now = deps.clock.now()
    const kept = await deps.records.changeValue<readonly Place[]>(keyOf(cluster, node), (before = []) => {
      const others = before.filter((place) => place.id !== id && place.until > now)
      return others.length < perNode ? [...others, { id, until }] : others
    })
    if (kept.some((place) => place.id === id)) return undefined
    if (now >= giveUpAt) return full(node, perNode, kept)
    await deps.clock.sleep(pauseMs, signal)
  }
}

/** Gives the place back, if this diagnosis has one. */
export async function leavePlace({ cluster, node, id }: Omit<PlaceRequest, 'until'>, deps: Pick<Deps, 'records'>): Promise<void> {
  if (node === undefined) return
  await deps.records.changeValue<readonly Place[], readonly Place[] | undefined>(keyOf(cluster, node), (before = []) => {
    const others = before.filter((place) => place.id !== id)
    return others.length > 0 ? others : undefined
  })
}

function full(node: string, perNode: number, places: readonly Place[]): Refusal {
  return {
    code: 'node-busy',
    message: `On node "${node}" ${places.length} diagnostic containers are at work, and harm.perNode allows ${perNode} at once: ask again when they have ended (${places.map(({ id }) => id).join(', ')}), or raise it`,
  }
}
