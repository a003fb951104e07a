/**
 * The certified rosters of a federation, each checked against the roster before, from the founding on. PROTOCOL.md §4.6.
 * All peers and clients keep the same chain. When two certified rosters follow the same one, the later period stands,
 * because a delayed vote can complete the earlier roster too late. Two certified rosters for the same period are
 * a fork: a third of the operators voted twice. No peer can tell which roster is right, so the chain stops permanently.
 * Throws ROSTER_INVALID, ROSTER_FORKED.
 */
import { boundedMap } from '../bounded-map.ts'
import { bytesToHex, equalBytes } from '../encoding/bytes.ts'
import { FederationError } from '../errors.ts'
import { invalid } from '../federation/invalid-roster.ts'
import type { Manifest } from '../federation/manifest-form.ts'
import type { CertifiedRoster, Roster } from '../federation/roster.ts'
import { rosterInForce, sheetEpochs } from '../federation/roster-rules.ts'
import {
  assertCertified,
  manifestToPredecessor,
  type Predecessor,
  rosterToPredecessor,
  stepToCertified,
} from './certificate.ts'
import type { RosterStep } from './roster-step.ts'

/** Overtaken rosters: each may still get followers, or be pinned for an epoch. A peer meets at most one in its life. */
const ASIDE_MAX = 16
/**
 * Rosters of the chain in memory. With the shortest period the rules need the 36 rosters of the deposit window, and a
 * search for a fork needs 30. A certificate that follows an older roster is refused, so old keys cannot stop a peer.
 */
export const RECENT_MAX = 64

export interface RosterChain {
  /** The newest rosters of the chain, ascending by height, at most `RECENT_MAX`. */
  readonly recent: readonly CertifiedRoster[]
  readonly newest: CertifiedRoster | undefined
  /** Certified rosters that are not in the chain, because a later one overtook them. */
  readonly overtaken: readonly CertifiedRoster[]
  /** The height of the roster that follows. */
  readonly nextHeight: number
  /** Two rosters of one period are certified: the chain takes nothing more. */
  readonly isForked: boolean
  /** The rules and the hash from which the next roster follows. */
  readonly predecessor: Predecessor
  /** A recent roster of this height. */
  at(height: number): CertifiedRoster | undefined
  /** A recent or overtaken roster, by the 8 bytes of its name. */
  named(name: Uint8Array): CertifiedRoster | undefined
  /** A recent or overtaken roster that begins with this epoch. There is one at most, because two are a fork. */
  startingAt(firstEpoch: number): CertifiedRoster | undefined
  /** The roster in force for an epoch; never "the roster now". */
  inForce(epoch: number): CertifiedRoster | undefined
  /**
   * The rosters that the central peer may pin for an epoch: the one in force, its predecessor and those that these two
   * overtook. A certificate that completes late changes what is in force, but not at all peers at the same moment.
   */
  pinnable(epoch: number): readonly CertifiedRoster[]
  /** The epoch from which on a roster is not pinnable any more. */
  pinnableUntil(certified: CertifiedRoster): number
  /** The federation id, which a founding roster names as the roster before. */
  readonly founding: Uint8Array
  /**
   * The rosters to take for this one, ascending: the overtaken ones that it follows, then itself. Empty when the roster
   * is known or is now overtaken. Throws ROSTER_INVALID, also when its predecessor is unknown, and ROSTER_FORKED.
   */
  check(certified: CertifiedRoster): readonly CertifiedRoster[]
  /** The same for a step, the form that a device receives. Throws ROSTER_INVALID without the votes of a quorum. */
  checkStep(step: RosterStep): readonly CertifiedRoster[]
  /** Takes the rosters that `check` returned. Rosters of the branch that they replace are set aside. */
  take(path: readonly CertifiedRoster[]): void
  /** Checks a roster and takes what `check` returns; false when that is nothing. Throws as `check`. */
  add(certified: CertifiedRoster): boolean
  /**
   * Takes a roster that this machine checked before and kept. An empty chain begins with it. Throws ROSTER_INVALID if it
   * does not follow.
   */
  restore(certified: CertifiedRoster): void
}

export function rosterChain(manifest: Manifest): RosterChain {
  return new Chain(manifestToPredecessor(manifest))
}

/** The fields by which a roster names the roster before. */
type Named = Pick<Roster, 'height' | 'previous'>

/** A known roster that another one follows (undefined at founding), and what must follow from it. */
interface Origin {
  parent: CertifiedRoster | undefined
  predecessor: Predecessor
}

class Chain implements RosterChain {
  readonly recent: CertifiedRoster[] = []
  readonly #founding: Predecessor
  /** By hash in hex. */
  readonly #aside = boundedMap<string, CertifiedRoster>(ASIDE_MAX)
  #forkedAt: number | undefined
  // Arrow functions, because callers pass them on as functions.
  readonly at = (height: number): CertifiedRoster | undefined => this.recent[height - this.#firstHeight]
  readonly named = (name: Uint8Array): CertifiedRoster | undefined =>
    this.#find(({ hash }) => equalBytes(hash.subarray(0, name.length), name))
  readonly startingAt = (firstEpoch: number): CertifiedRoster | undefined =>
    this.#find(({ roster }) => roster.firstEpoch === firstEpoch)
  readonly inForce = (epoch: number): CertifiedRoster | undefined => rosterInForce(this.recent, epoch)
  readonly pinnable = (epoch: number): readonly CertifiedRoster[] => {
    const inForce = this.inForce(epoch)
    if (inForce === undefined) return []
    const lowest = inForce.roster.height - 1
    const others = [this.at(lowest), ...this.overtaken].filter((item) => item !== undefined)
    return [inForce, ...others.filter((item) => item.roster.height >= lowest && governs(item, epoch))]
  }
  readonly pinnableUntil = ({ roster }: CertifiedRoster): number =>
    Math.min(endOfSheets(roster), this.at(roster.height + 2)?.roster.firstEpoch ?? Number.POSITIVE_INFINITY)

  constructor(founding: Predecessor) {
    this.#founding = founding
  }
  get founding(): Uint8Array {
    return this.#founding.hash
  }
  get newest(): CertifiedRoster | undefined {
    return this.recent.at(-1)
  }
  get overtaken(): readonly CertifiedRoster[] {
    return [...this.#aside.values()]
  }
  get nextHeight(): number {
    return this.newest === undefined ? 0 : this.newest.roster.height + 1
  }
  get #firstHeight(): number {
    return this.recent[0]?.roster.height ?? 0
  }
  get isForked(): boolean {
    return this.#forkedAt !== undefined
  }
  get predecessor(): Predecessor {
    return this.newest === undefined ? this.#founding : rosterToPredecessor(this.newest)
  }
  check(certified: CertifiedRoster): readonly CertifiedRoster[] {
    this.#assertNoFork()
    if (this.#isKnown(certified.roster.height, certified.hash)) return []
    const { parent, predecessor } = this.#originOf(certified.roster)
    assertCertified(predecessor, certified)
    return this.#place(certified, parent)
  }
  checkStep(step: RosterStep): readonly CertifiedRoster[] {
    this.#assertNoFork()
    const { parent, predecessor } = this.#originOf(step)
    const certified = stepToCertified(predecessor, step)
    return this.#isKnown(step.height, certified.hash) ? [] : this.#place(certified, parent)
  }
  take(path: readonly CertifiedRoster[]): void {
    const from = (path[0]?.roster.height ?? this.nextHeight) - this.#firstHeight
    for (const overtaken of this.recent.splice(from)) this.#aside.set(bytesToHex(overtaken.hash), overtaken)
    for (const certified of path) this.#push(certified)
  }
  add(certified: CertifiedRoster): boolean {
    const path = this.check(certified)
    this.take(path)
    return path.length > 0
  }
  restore(certified: CertifiedRoster): void {
    const { height, previous } = certified.roster
    const isOldest = this.newest === undefined && height > 0
    if (!isOldest && height !== this.nextHeight) invalid(`expected height ${this.nextHeight}, got ${height}`)
    if (!isOldest && !equalBytes(previous, this.predecessor.hash))
      invalid(`height ${height} follows another roster than ours`)
    this.#push(certified)
  }

  #push(certified: CertifiedRoster): void {
    this.recent.push(certified)
    this.#aside.delete(bytesToHex(certified.hash))
    this.recent.splice(0, this.recent.length - RECENT_MAX)
    for (const [name, { roster }] of this.#aside) if (roster.height < this.#firstHeight) this.#aside.delete(name)
  }
  #find(isWanted: (certified: CertifiedRoster) => boolean): CertifiedRoster | undefined {
    return this.recent.findLast(isWanted) ?? this.overtaken.find(isWanted)
  }
  #known(): CertifiedRoster[] {
    return [...this.recent, ...this.overtaken]
  }
  #isKnown(height: number, hash: Uint8Array): boolean {
    const ours = this.at(height)
    return (ours !== undefined && equalBytes(ours.hash, hash)) || this.#aside.has(bytesToHex(hash))
  }
  #originOf(named: Named): Origin {
    const parent = this.#parentOf(named)
    if (parent !== undefined) return { parent, predecessor: rosterToPredecessor(parent) }
    const next = this.nextHeight
    if (named.height > next) invalid(`expected height ${next} next, got ${named.height}: fetch the rosters between`)
    if (named.height > 0 || this.#firstHeight > 0) invalid(`height ${named.height} follows another roster than ours`)
    return { parent, predecessor: this.#founding }
  }
  #parentOf({ height, previous }: Named): CertifiedRoster | undefined {
    const isParent = (item: CertifiedRoster | undefined): boolean =>
      item?.roster.height === height - 1 && equalBytes(item.hash, previous)
    return [this.at(height - 1), this.#aside.get(bytesToHex(previous))].find(isParent)
  }
  /** Decides where a certified roster belongs: a fork, an overtaken branch, or the end of the chain. */
  #place(certified: CertifiedRoster, parent: CertifiedRoster | undefined): readonly CertifiedRoster[] {
    const { height, firstEpoch } = certified.roster
    if (this.#known().some(({ roster }) => roster.firstEpoch === firstEpoch)) {
      this.#forkedAt = height
      this.#assertNoFork()
    }
    if (firstEpoch < (this.newest?.roster.firstEpoch ?? 0)) {
      this.#aside.set(bytesToHex(certified.hash), certified)
      return []
    }
    return [...this.#overtakenBefore(parent), certified]
  }
  /** The rosters that were set aside and end in `parent`, ascending. */
  #overtakenBefore(parent: CertifiedRoster | undefined): CertifiedRoster[] {
    if (parent === undefined || parent === this.at(parent.roster.height)) return []
    return [...this.#overtakenBefore(this.#parentOf(parent.roster)), parent]
  }
  #assertNoFork(): void {
    const height = this.#forkedAt
    if (height === undefined) return
    const message = `expected one certified roster for each period, got a second one of height ${height}: ask the operators which federation goes on`
    throw new FederationError('ROSTER_FORKED', message, { height })
  }
}

function endOfSheets(roster: Roster): number {
  return roster.firstEpoch + sheetEpochs(roster)
}

/** Whether an epoch lies within the sheets of a roster. */
function governs({ roster }: CertifiedRoster, epoch: number): boolean {
  return roster.firstEpoch <= epoch && epoch < endOfSheets(roster)
}
