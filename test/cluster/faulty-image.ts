import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const program = fileURLToPath(new URL('../lab/faults/fault', import.meta.url))

/** Has the program of the lab's faults on the node, as localhost/faulty:1; the lab itself does not bring it. */
export async function faultyImage(): Promise<void> {
  await promisify(execFile)(program, ['image', 'faulty'])
}
