import { type Cursor, start } from '../../src/diagnosis/cursor.ts'
import { listenTurn } from '../../src/diagnosis/listen/turn.ts'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'
import { readSegment, segmentKey } from '../../src/diagnosis/segment.ts'
import type { PodRef } from '../../src/ports/cluster/cluster.ts'
import { kubeconfigTransport } from '../../src/ports/cluster/kubeconfig.ts'
import { kubernetesCluster } from '../../src/ports/cluster/kubernetes.ts'
import type { Store } from '../../src/ports/store/store.ts'
import { wallClock } from '../contract/wall-clock.ts'

export interface Listened {
  readonly kubeconfig: string
  readonly id: string
  readonly pod: PodRef
  readonly uid: string
  readonly container: string
}

/** A listener to an ordinary container, which prints no end line: each call is one turn, as the story's, and returns the cursor behind it. */
export function floodListener(listened: Listened, store: Pick<Store, 'create' | 'get'>) {
  const cluster = kubernetesCluster({ name: 'lab', transport: kubeconfigTransport({ file: listened.kubeconfig }), clock: wallClock })
  const redactor = makeRedactor()
  const fixed = { ...listened, name: 'flood.txt', maxBytes: 1_000_000_000, binaryArtifacts: false, endLine: false }
  const deps = { cluster, store, redactor, clock: wallClock, cancelled: async () => false }
  return (cursor: Cursor = start, turnMs = 60_000, signal = new AbortController().signal): Promise<Cursor> => {
    const now = wallClock.now()
    return listenTurn({ ...fixed, cursor, turnEndsAt: now + turnMs, giveUpAt: now + 600_000 }, deps, signal)
  }
}

/** The lines that are stored. */
export async function storedLines(store: Pick<Store, 'get'>, { id, container }: Pick<Listened, 'id' | 'container'>): Promise<readonly string[]> {
  const decoder = new TextDecoder()
  const bodies: string[] = []
  for (let n = 1; ; n++) {
    const segment = await readSegment(store, segmentKey(id, container, n))
    if (!segment) return bodies.join('').split('\n').slice(0, -1)
    bodies.push(decoder.decode(segment.body))
  }
}
