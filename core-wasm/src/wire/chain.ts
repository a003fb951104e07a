/**
 * The certified rosters of a federation, each checked against the one before, from the founding on. PROTOCOL.md §4.6.
 * Nodes, clients and the central peer keep one alike. A second certificate for a height that has one is a fork: nobody
 * can say which is right, so the chain stops, visibly and for good.
 */
import { bytesToHex, equalBytes } from './bytes.ts'
import { assertCertified, manifestToPredecessor, type Predecessor, rosterToPredecessor } from './certificate.ts'
import { FederationError } from './errors.ts'
import type { Manifest } from './manifest.ts'
import { type CertifiedRoster, hashToRosterName, rosterKey } from './roster.ts'
import { rosterInForce } from './roster-rules.ts'

export interface RosterChain {
  /** By height. */
  readonly all: readonly CertifiedRoster[]
  readonly newest: CertifiedRoster | undefined
  /** Two rosters of one height are certified: nothing is added any more. */
  readonly isForked: boolean
  /** What the next roster follows from. */
  readonly predecessor: Predecessor
  at(height: number): CertifiedRoster | undefined
  /** By the eight bytes of its name. */
  named(name: Uint8Array): CertifiedRoster | undefined
  /** The roster in force for an epoch; never "the roster now". */
  inForce(epoch: number): CertifiedRoster | undefined
  /**
   * Whether this is the next roster; false if it is known. Throws ROSTER_INVALID, also when its height is not the next
   * one, and ROSTER_FORKED.
   */
  check(certified: CertifiedRoster): boolean
  /** Checks the next roster and takes it in; false if it is known. Throws as `check`. */
  add(certified: CertifiedRoster): boolean
  /** Takes in a roster that this machine checked before and kept itself. Throws ROSTER_INVALID if it does not follow. */
  restore(certified: CertifiedRoster): void
}

export function rosterChain(manifest: Manifest): RosterChain {
  const all: CertifiedRoster[] = []
  let forkedAt: number | undefined
  const byName = new Map<string, CertifiedRoster>()
  const founding = manifestToPredecessor(manifest)
  const predecessor = (): Predecessor => {
    const newest = all.at(-1)
    return newest === undefined ? founding : rosterToPredecessor(newest)
  }
  const push = (certified: CertifiedRoster): void => {
    all.push(certified)
    byName.set(rosterKey(certified), certified)
  }
  const assertNext = ({ roster }: CertifiedRoster): void => {
    if (roster.height !== all.length) invalid(`height ${roster.height} does not follow ${all.length - 1}`)
    if (!equalBytes(roster.previous, predecessor().hash)) invalid('it follows another roster')
  }
  const check = (certified: CertifiedRoster): boolean => {
    if (forkedAt !== undefined) throw forked(forkedAt)
    const { height } = certified.roster
    const known = all[height]
    if (known !== undefined && equalBytes(known.hash, certified.hash)) return false
    if (known !== undefined) {
      const before = height === 0 ? founding : rosterToPredecessor(all[height - 1]!)
      assertCertified(before, certified)
      forkedAt = height
      throw forked(height)
    }
    assertNext(certified)
    assertCertified(predecessor(), certified)
    return true
  }
  return {
    all,
    get newest() {
      return all.at(-1)
    },
    get isForked() {
      return forkedAt !== undefined
    },
    get predecessor() {
      return predecessor()
    },
    at: (height) => all[height],
    named: (name) => byName.get(bytesToHex(name)),
    inForce: (epoch) => rosterInForce(all, epoch),
    check,
    add(certified) {
      if (!check(certified)) return false
      push(certified)
      return true
    },
    restore(certified) {
      assertNext(certified)
      push(certified)
    },
  }
}

/** The name of a roster for people: its height and the first digits of its hash. */
export function rosterToLabel({ roster, hash }: CertifiedRoster): string {
  return `${roster.height} ${bytesToHex(hashToRosterName(hash))}`
}

function forked(height: number): FederationError<'ROSTER_FORKED'> {
  return new FederationError('ROSTER_FORKED', `two rosters of height ${height} are certified`, { height })
}

function invalid(reason: string): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason })
}
