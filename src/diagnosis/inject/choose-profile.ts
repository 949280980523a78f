import type { ConcreteProfile, Ids, Profile } from '../diagnosis.ts'

export interface Choice {
  readonly profile: ConcreteProfile
  readonly ids?: Ids
}

/** Who to run as where the target's user is not known: what distroless images call nonroot. */
const nobody: Ids = { uid: 65532, gid: 65532 }

/**
 * The forms to try, best first. `auto` is the least privilege that still sees the target: the kernel lets a process look into
 * another only with the same user and group and at least its capabilities, so a non-root target is seen best by its own ids
 * without any privilege, and a root target by root with the default ones. Nothing above `baseline` is ever chosen by itself.
 */
export function chooseProfiles(profile: Profile, ids: Ids | undefined, knownUid: number | undefined): readonly Choice[] {
  switch (profile) {
    case 'auto': {
      const guess = ids ?? (knownUid === undefined ? nobody : { uid: knownUid, gid: knownUid === 0 ? 0 : nobody.gid })
      const blind: Choice = { profile: 'restricted', ids: nobody }
      return guess.uid === 0 ? [{ profile: 'baseline', ids: { uid: 0, gid: 0 } }, blind] : [{ profile: 'restricted', ids: guess }]
    }
    case 'restricted':
      return [{ profile, ids: ids && ids.uid !== 0 ? ids : nobody }]
    case 'baseline':
    case 'general':
    case 'netadmin':
    case 'sysadmin':
      // Added capabilities do not reach a user other than root.
      return [{ profile, ids: profile === 'baseline' && ids ? ids : { uid: 0, gid: 0 } }]
  }
}
