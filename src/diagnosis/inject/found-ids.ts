import type { Deps } from '../../deps.ts'
import type { Ids } from '../diagnosis.ts'
import type { Gathered } from '../gathered.ts'

/** Who the target runs as, where the API does not tell and a container of ours found it out before, in this pod or another of its image. */
export async function foundIds({ ids, idsCacheKey }: Gathered, { records }: Pick<Deps, 'records'>): Promise<Ids | undefined> {
  return ids || idsCacheKey === undefined ? undefined : records.getValue<Ids>(`ids:${idsCacheKey}`)
}

/** Remembers it for the image and its security context. */
export async function keepIds(ids: Ids, { idsCacheKey }: Gathered, { records }: Pick<Deps, 'records'>): Promise<void> {
  if (idsCacheKey !== undefined) await records.setValue(`ids:${idsCacheKey}`, ids)
}
