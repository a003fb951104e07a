/**
 * The rules by which the replicas of a shard come to one seed for each part, and sign one sheet. PROTOCOL.md §4.7. Pure.
 * A maker signs each seed that it hands out, so a maker of two seeds convicts itself. Until then all replicas that know
 * both seeds go by the same one. A replica names another by its rank in the shard.
 */
import { equalBytes, sheetQuorum } from '@geotrace/core-wasm/wire'

/** How long a member of a part waits for each member below it. Peers of one founding start within seconds of each other. */
const PATIENCE_MS = 2_000
/** After this time a replica acts although the others do not confirm it, because they may be gone. */
const PATIENT_MS = 30_000

/** A seed as its maker signed it. The hash of its lines stands for the seed. */
export interface SeedClaim {
  readonly maker: number
  readonly hash: Uint8Array
}
type IsConvicted = (rank: number) => boolean
/** The facts on which the choice between seeds of one part depends. */
export interface Preference {
  /** The seed that leads to the root that most others signed. */
  readonly signed: SeedClaim | undefined
  readonly isConvicted: IsConvicted
}

/**
 * Whether a replica goes by seed `a` rather than `b`. The seed of a signed sheet goes first. Then a convicted maker goes
 * last, then the lower rank goes first, then the lower hash.
 */
export function isPreferred(a: SeedClaim, b: SeedClaim, { signed, isConvicted }: Preference): boolean {
  const isSigned = ({ hash }: SeedClaim): boolean => signed !== undefined && equalBytes(hash, signed.hash)
  if (isSigned(a) || isSigned(b)) return !isSigned(b)
  return compareMakers(a, b, isConvicted) < 0 || (a.maker === b.maker && Buffer.compare(a.hash, b.hash) < 0)
}

/** The same before the hash of `a` is known: false when no hash could make `a` preferred. */
export function mayBePreferred(maker: number, b: SeedClaim, { signed, isConvicted }: Preference): boolean {
  if (signed !== undefined && equalBytes(b.hash, signed.hash)) return false
  return signed?.maker === maker || compareMakers({ maker }, b, isConvicted) <= 0
}

function compareMakers(a: Pick<SeedClaim, 'maker'>, b: Pick<SeedClaim, 'maker'>, isConvicted: IsConvicted): number {
  return Number(isConvicted(a.maker)) - Number(isConvicted(b.maker)) || a.maker - b.maker
}

/**
 * The seed by which a replica outside a part goes: the one that most members hold, of several the preferred one. Such a
 * replica cannot know whether a seed was handed to anybody, so it follows the members.
 */
export function mostHeld<C extends SeedClaim>(held: readonly C[], isConvicted: IsConvicted): C | undefined {
  const countOf = (claim: C): number => held.filter(({ hash }) => equalBytes(hash, claim.hash)).length
  const isBefore = (a: C, b: C): boolean => isPreferred(a, b, { signed: undefined, isConvicted })
  return [...held].sort((a, b) => countOf(b) - countOf(a) || Number(isBefore(b, a)) - Number(isBefore(a, b)))[0]
}

export interface MakeCase {
  /** The members of the part, and the rank of this replica among all replicas. */
  members: readonly number[]
  rank: number
  /** Replicas of the shard. */
  replicas: number
  /** The other replicas that answered in this round. None of them has a seed of this part by an honest maker. */
  answered: readonly number[]
  /** How long this replica has tried. */
  forMs: number
  isFounding: boolean
  /** Half the effort is over. */
  isSecondHalf: boolean
  isConvicted: IsConvicted
}

/**
 * Whether a member makes the seed of its part. Its turn comes after the members below it. It waits for another replica,
 * because no node makes a second seed, also when its first one was lost before anybody came. In the second half of the
 * effort it makes one only while a majority of the replicas answers.
 */
export function mayMake(given: MakeCase): boolean {
  const { members, rank, replicas, answered, forMs, isFounding, isSecondHalf, isConvicted } = given
  const before = members.filter((member) => member < rank && !isConvicted(member)).length
  if (forMs < before * PATIENCE_MS) return false
  if (isSecondHalf && !isFounding && answered.length + 1 < sheetQuorum(replicas)) return false
  const isAlone = replicas > 1 && answered.length === 0
  return !isAlone || (!isFounding && forMs >= PATIENT_MS)
}

export interface SignCase {
  /** The root that this replica goes by. */
  root: Uint8Array
  /** The roots that the other replicas stated in this round, and undefined for those that answered without one. */
  stated: readonly (Uint8Array | undefined)[]
  /** The roots that other replicas signed. */
  signed: readonly Uint8Array[]
  replicas: number
  threshold: number
  /** How long replicas that answered have stated another root, or none. */
  disputedForMs: number
  /** Half the effort is over, and this replica has tried for long enough. Never at founding. */
  isLate: boolean
}

/** Whether a replica signs its root. A root that `threshold` others signed was checked by an honest one. */
export function maySign({ root, stated, signed, replicas, threshold, disputedForMs, isLate }: SignCase): boolean {
  const isSame = (other: Uint8Array | undefined): boolean => other !== undefined && equalBytes(other, root)
  if (isLate || countRoot(signed, root) >= threshold) return true
  const isMost = 1 + stated.filter(isSame).length >= sheetQuorum(replicas)
  return isMost && (!isDisputed(root, stated) || disputedForMs >= PATIENT_MS)
}

/**
 * Whether a replica that answered states another root, or none. A replica without a root may be getting other seeds from
 * the same maker.
 */
export function isDisputed(root: Uint8Array, stated: readonly (Uint8Array | undefined)[]): boolean {
  return stated.some((other) => other === undefined || !equalBytes(other, root))
}

/** Whether a replica has tried for long enough to sign in the second half of the effort. */
export function isPatient(forMs: number): boolean {
  return forMs >= PATIENT_MS
}

/** The roots that others signed, each once: those of most signatures first, then the lowest. */
export function toSignedRoots(signed: readonly Uint8Array[]): Uint8Array[] {
  return signed
    .filter((root, i) => !signed.slice(0, i).some((other) => equalBytes(other, root)))
    .sort((a, b) => countRoot(signed, b) - countRoot(signed, a) || Buffer.compare(a, b))
}

/** How many others signed this root. */
export function countRoot(signed: readonly Uint8Array[], root: Uint8Array): number {
  return signed.filter((other) => equalBytes(other, root)).length
}
