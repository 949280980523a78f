import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startService } from '../../scripts/bench-service.ts'
import type { View } from '../../src/api/view.ts'
import type { ConfigInput } from '../../src/config.ts'
import { makeAccount } from './rights.ts'

export interface FaultService {
  /** From the request to the end of the diagnosis. Throws where the request is not taken, or the diagnosis takes over two minutes. */
  diagnose(request: object, signal: AbortSignal): Promise<View>
  stop(): Promise<void>
}

const limitMs = 120_000

/**
 * The service as it is shipped, a process of this machine beside the lab, with its Role alone, and defaults but for this: pods whose
 * memory is not measured are looked into all the same, and targets that end meanwhile, as a crash loop does, pause nothing.
 */
export async function startFaultService(image: string, diagnosis: ConfigInput['diagnosis'] = {}): Promise<FaultService> {
  const name = `autodiagnose-faults-${randomBytes(3).toString('hex')}`
  const directory = mkdtempSync(join(tmpdir(), 'autodiagnose-faults-'))
  const kubeconfig = join(directory, 'kubeconfig')
  const removeAccount = await makeAccount(name, kubeconfig)
  const leave = async (): Promise<void> => {
    await removeAccount()
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    const service = await startService(name, {
      clusters: { lab: { kubeconfig } },
      policy: [{ principals: ['bench'], namespaces: ['fault-*'], profiles: ['auto', 'restricted', 'baseline', 'general', 'netadmin', 'sysadmin'] }],
      // No admission policy names its account.
      diagnosis: { image, imagePullPolicy: 'Never', admissionPolicy: 'unchecked', ...diagnosis },
      harm: { unknownHeadroom: 'inject', pauseAfter: 1000, perNode: 100 },
    })
    return {
      diagnose: (request, signal) => diagnose(service, request, signal),
      async stop() {
        await service.stop()
        await leave()
      },
    }
  } catch (error) {
    await leave()
    throw error
  }
}

async function diagnose({ url, token }: { readonly url: string; readonly token: string }, request: object, signal: AbortSignal): Promise<View> {
  const authorization = `Bearer ${token}`
  const headers = { authorization, 'content-type': 'application/json', prefer: 'wait=60' }
  let answer = await fetch(`${url}/v1/diagnoses`, { method: 'POST', headers, body: JSON.stringify(request), signal })
  for (const end = Date.now() + limitMs; ; await sleep(500, undefined, { signal })) {
    if (!answer.ok) throw new Error(`the service answered ${answer.status}: ${await answer.text()}`)
    const view = (await answer.json()) as View
    if (view.state === 'done') return view
    if (Date.now() > end) throw new Error(`diagnosis ${view.id} is still ${view.state} after ${limitMs / 1000} s`)
    answer = await fetch(`${url}/v1/diagnoses/${view.id}`, { headers: { authorization }, signal })
  }
}
