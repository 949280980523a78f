import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../src/deps.ts'
import { type Cursor, start } from '../src/diagnosis/cursor.ts'
import { listenTurn } from '../src/diagnosis/listen/turn.ts'
import { makeRedactor } from '../src/diagnosis/redact/make-redactor.ts'
import { kubeconfigTransport } from '../src/ports/cluster/kubeconfig.ts'
import { kubernetesCluster } from '../src/ports/cluster/kubernetes.ts'
import { s3Store } from '../src/ports/store/s3.ts'
import { type BenchPod, labVariable } from './bench-lab.ts'
import { benchStore, credentials } from './bench-service.ts'

const clock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
  },
}

const lines = 65_000
const width = 100
const bytes = lines * (width + 12)
const program = `BEGIN {
  while (length(padding) < ${width}) padding = padding "x"
  for (n = 1; n <= ${lines}; n++) printf "%010d %s\\n", n, padding
  print "# autodiagnose end lines=${lines} bytes=${bytes}"
}`

/** Prints 7 MB of numbered lines, which is short of where logs are rotated, and the end line that a diagnostic container prints. */
export const printer = { image: 'localhost/tools:1', command: ['awk', program] }

/** Reads the log of the {@link printer}, which has ended, in both ways; each returns megabytes (10^6) of log a second, timestamps not counted. */
export function listening(pod: BenchPod) {
  const cluster = kubernetesCluster({ name: 'lab', transport: kubeconfigTransport({ file: labVariable('KUBECONFIG') }), clock })
  const redactor = makeRedactor()
  const store = s3Store({ ...benchStore(pod.namespace), credentials: credentials() })
  let runs = 0

  /** Listen, redact, store: what the service does, to the last segment in S3. */
  const throughListener = async (): Promise<number> => {
    const now = clock.now()
    const params = {
      id: `throughput-${++runs}`,
      pod,
      uid: pod.uid,
      container: 'app',
      turnEndsAt: now + 60_000,
      giveUpAt: now + 60_000,
      name: 'flood.txt',
      maxBytes: 1_000_000_000,
      binaryArtifacts: false,
      endLine: true,
    }
    const began = performance.now()
    const cursor: Cursor = await listenTurn({ ...params, cursor: start }, { cluster, store, redactor, clock, cancelled: async () => false }, never)
    const seconds = (performance.now() - began) / 1000
    if (cursor.end !== 'proven') throw new Error(`the listener ended ${cursor.end}: ${cursor.gaps.join('; ')}`)
    return bytes / 1e6 / seconds
  }

  /** The same stream over the same API server, read to nothing. */
  const bare = async (): Promise<number> => {
    const began = performance.now()
    const log = await cluster.openLog(pod, 'app', { follow: true }, never)
    if (log.kind !== 'open') throw new Error(`the log cannot be read: ${log.message}`)
    const reader = log.body.getReader()
    while (!(await reader.read()).done);
    return bytes / 1e6 / ((performance.now() - began) / 1000)
  }
  return { throughListener, bare }
}

const never = new AbortController().signal
