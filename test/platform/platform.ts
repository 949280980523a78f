import type { Hono } from 'hono'
import type { Clock } from '../../src/deps.ts'
import type { Transport } from '../../src/ports/cluster/cluster.ts'
import type { Records } from '../../src/ports/records/records.ts'
import type { Store } from '../../src/ports/store/store.ts'

/**
 * What the tests that run in Node and in workerd need of either: `#platform` of package.json. What is opened in a test is
 * closed after it.
 */
export interface Platform {
  /** Empty ones. In workerd there is one database: those that were opened before are emptied, too. */
  openRecords(clock: Clock): Promise<Records>
  /** An empty one. */
  openStore(): Promise<Store>
  /** A cluster of its own, whose pods of the demo run; `backend` is the URL that fails one of them. Whoever opens it closes it. */
  openEmulator(): Promise<OpenEmulator & { readonly backend: string }>
  /** One without a pod, whose one image, `localhost/shell:1`, is a shell: a container's argument is what it does. */
  openShellEmulator(): Promise<OpenEmulator>
  /** How a client asks the app: in workerd each request is one of the runtime's own, as in production. */
  ask(app: Pick<Hono, 'fetch'>, path: string, init?: RequestInit): Promise<Response>
  /** The entries of a .tar.gz in their order, their content by their path. */
  untar(bundle: Uint8Array<ArrayBuffer>): Promise<ReadonlyMap<string, Uint8Array>>
}

export interface OpenEmulator {
  readonly transport: Transport
  close(): Promise<void>
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where emulators can be had: see emulators.ts. */
    readonly emulators: string
    /** A server that fails as asked: see faulty-server.ts. */
    readonly faultyServer: string
  }
}
