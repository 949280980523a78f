import { heard, start } from './diagnosis/cursor.ts'
import { containersOf, type DiagnosisRequest } from './diagnosis/diagnosis.ts'
import { readFindings } from './diagnosis/seal/conclude.ts'
import { adopt } from './diagnosis/segment.ts'
import type { Examined } from './examine.ts'
import type { Store } from './ports/store/store.ts'

/** What the logs in the store tell of the containers of a diagnosis whose run can tell nothing any more. */
export async function storedExaminations(
  request: Pick<DiagnosisRequest, 'id' | 'adopted'>,
  image: string,
  store: Pick<Store, 'get' | 'list'>,
  signal: AbortSignal,
): Promise<readonly Examined[]> {
  const examined: Examined[] = []
  const { id } = request
  for (const name of containersOf(request)) {
    const cursor = await adopt(store, id, name, start, signal)
    if (cursor.segment === 0) continue
    const { findings } = await readFindings(store, id, name, signal)
    const gaps = [...cursor.gaps, ...(cursor.end === undefined ? ['nobody listened to the end of the log'] : [])]
    const container = { name, image, ...heard(cursor), gaps }
    examined.push({ container, checks: [], findings, redactions: cursor.redactions, retryWithIds: false, ...(cursor.end ? { end: cursor.end } : {}) })
  }
  return examined
}
