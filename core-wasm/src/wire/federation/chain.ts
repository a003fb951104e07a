/**
 * The certified rosters of a federation, each checked against the one before, from the founding on. PROTOCOL.md §4.6.
 * Nodes, clients and the central peer keep one alike. Of two certified rosters that follow the same one, the later stands:
 * a vote that was held back may complete the earlier when the next period has one. Two for the same period are a fork:
 * a third of the operators voted twice, nobody can say which is right, and the chain stops, visibly and for good.
 */
import { boundedMap } from '../bounded-map.ts'
import { bytesToHex, equalBytes } from '../encoding/bytes.ts'
import { FederationError } from '../errors.ts'
import {
  assertCertified,
  manifestToPredecessor,
  type Predecessor,
  rosterToPredecessor,
  stepToCertified,
} from './certificate.ts'
import type { Manifest } from './manifest-form.ts'
import { type CertifiedRoster, hashToRosterName, type Roster, rosterName } from './roster.ts'
import { rosterInForce } from './roster-rules.ts'
import type { RosterStep } from './roster-step.ts'

export interface RosterChain {
  /** By height. */
  readonly all: readonly CertifiedRoster[]
  readonly newest: CertifiedRoster | undefined
  /** Two rosters of one period are certified: nothing is added any more. */
  readonly isForked: boolean
  /** What the next roster follows from. */
  readonly predecessor: Predecessor
  at(height: number): CertifiedRoster | undefined
  /** By the eight bytes of its name. */
  named(name: Uint8Array): CertifiedRoster | undefined
  /** The roster in force for an epoch; never "the roster now". */
  inForce(epoch: number): CertifiedRoster | undefined
  /**
   * What to take in for this roster, ascending: itself, after those set aside before that it follows; nothing when it is
   * known or set aside now. Throws ROSTER_INVALID, also when it follows none that is known, and ROSTER_FORKED.
   */
  check(certified: CertifiedRoster): readonly CertifiedRoster[]
  /** The same for a step, as a device is told of a roster; ROSTER_INVALID too when its votes are not those of a quorum. */
  checkStep(step: RosterStep): readonly CertifiedRoster[]
  /** Takes in what a check gave. What followed the roster before the first of them is set aside. */
  take(path: readonly CertifiedRoster[]): void
  /** Checks a roster and takes in what it gives; false if that is nothing. Throws as `check`. */
  add(certified: CertifiedRoster): boolean
  /** Takes in a roster that this machine checked before and kept itself. Throws ROSTER_INVALID if it does not follow. */
  restore(certified: CertifiedRoster): void
}

/** How a roster names the one before. */
type Named = Pick<Roster, 'height' | 'previous'>

/** Certified rosters that another one overtook, and that may yet have followers: a peer meets none or one in its life. */
const ASIDE_MAX = 16

export function rosterChain(manifest: Manifest): RosterChain {
  const all: CertifiedRoster[] = []
  const aside = boundedMap<string, CertifiedRoster>(ASIDE_MAX)
  let forkedAt: number | undefined
  const byName = new Map<string, CertifiedRoster>()
  const founding = manifestToPredecessor(manifest)
  const predecessor = (): Predecessor => {
    const newest = all.at(-1)
    return newest === undefined ? founding : rosterToPredecessor(newest)
  }
  const push = (certified: CertifiedRoster): void => {
    all.push(certified)
    byName.set(rosterName(certified), certified)
    aside.delete(bytesToHex(certified.hash))
  }
  const setAside = (certified: CertifiedRoster): void => {
    aside.set(bytesToHex(certified.hash), certified)
  }
  const assertNext = ({ roster }: CertifiedRoster): void => {
    if (roster.height !== all.length) invalid(`height ${roster.height} does not follow ${all.length - 1}`)
    if (!equalBytes(roster.previous, predecessor().hash)) invalid('it follows another roster')
  }
  const parentOf = ({ height, previous }: Named): CertifiedRoster | undefined => {
    const isParent = (item: CertifiedRoster | undefined): boolean =>
      item?.roster.height === height - 1 && equalBytes(item.hash, previous)
    return [all[height - 1], aside.get(bytesToHex(previous))].find(isParent)
  }
  const isKnown = (height: number, hash: Uint8Array): boolean =>
    [...all.slice(height, height + 1), ...aside.values()].some((item) => equalBytes(item.hash, hash))
  /** The roster before, if it is not the founding, and what follows from it. */
  const originOf = (named: Named): { parent: CertifiedRoster | undefined; origin: Predecessor } => {
    const { height } = named
    const parent = parentOf(named)
    if (parent === undefined && height > 0) {
      invalid(height > all.length ? `height ${height} does not follow ${all.length - 1}` : 'it follows another roster')
    }
    return { parent, origin: parent === undefined ? founding : rosterToPredecessor(parent) }
  }
  const check = (certified: CertifiedRoster): readonly CertifiedRoster[] => {
    if (forkedAt !== undefined) throw forked(forkedAt)
    if (isKnown(certified.roster.height, certified.hash)) return []
    const { parent, origin } = originOf(certified.roster)
    assertCertified(origin, certified)
    return place(certified, parent)
  }
  const checkStep = (step: RosterStep): readonly CertifiedRoster[] => {
    if (forkedAt !== undefined) throw forked(forkedAt)
    const { parent, origin } = originOf(step)
    const certified = stepToCertified(origin, step)
    return isKnown(step.height, certified.hash) ? [] : place(certified, parent)
  }
  /** Where one that holds belongs. */
  const place = (certified: CertifiedRoster, parent: CertifiedRoster | undefined): readonly CertifiedRoster[] => {
    const { height, firstEpoch } = certified.roster
    if ([...all, ...aside.values()].some(({ roster }) => roster.firstEpoch === firstEpoch)) {
      forkedAt = height
      throw forked(height)
    }
    if (firstEpoch < (all.at(-1)?.roster.firstEpoch ?? 0)) {
      setAside(certified)
      return []
    }
    const path = [certified]
    for (let at = parent; at !== undefined && at !== all[at.roster.height]; at = parentOf(at.roster)) path.unshift(at)
    return path
  }
  const take = (path: readonly CertifiedRoster[]): void => {
    for (const overtaken of all.splice(path[0]?.roster.height ?? all.length)) {
      byName.delete(rosterName(overtaken))
      setAside(overtaken)
    }
    path.forEach(push)
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
    checkStep,
    take,
    add(certified) {
      const path = check(certified)
      take(path)
      return path.length > 0
    },
    restore(certified) {
      assertNext(certified)
      push(certified)
    },
  }
}

/** The name of a roster for people: its height and the first digits of its hash. */
export function rosterToText({ roster, hash }: CertifiedRoster): string {
  return `${roster.height} ${bytesToHex(hashToRosterName(hash))}`
}

function forked(height: number): FederationError<'ROSTER_FORKED'> {
  return new FederationError(
    'ROSTER_FORKED',
    `two rosters of one period are certified, the other of height ${height}`,
    { height },
  )
}

function invalid(reason: string): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason })
}
