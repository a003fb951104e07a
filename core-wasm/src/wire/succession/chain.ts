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
import { type CertifiedRoster, type Roster, rosterName } from '../federation/roster.ts'
import { rosterInForce } from '../federation/roster-rules.ts'
import {
  assertCertified,
  manifestToPredecessor,
  type Predecessor,
  rosterToPredecessor,
  stepToCertified,
} from './certificate.ts'
import type { RosterStep } from './roster-step.ts'

/** Certified rosters that another one overtook and that may still get followers: a peer meets at most one in its life. */
const ASIDE_MAX = 16

export interface RosterChain {
  /** By height. */
  readonly all: readonly CertifiedRoster[]
  readonly newest: CertifiedRoster | undefined
  /** Two rosters of one period are certified: the chain takes nothing more. */
  readonly isForked: boolean
  /** The rules and the hash from which the next roster follows. */
  readonly predecessor: Predecessor
  at(height: number): CertifiedRoster | undefined
  /** By the 8 bytes of the roster's name. */
  named(name: Uint8Array): CertifiedRoster | undefined
  /** The roster in force for an epoch; never "the roster now". */
  inForce(epoch: number): CertifiedRoster | undefined
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
  /** Takes a roster that this machine checked before and kept. Throws ROSTER_INVALID if it does not follow. */
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
  readonly all: CertifiedRoster[] = []
  readonly #founding: Predecessor
  readonly #byName = new Map<string, CertifiedRoster>()
  /** By hash. */
  readonly #aside = boundedMap<string, CertifiedRoster>(ASIDE_MAX)
  #forkedAt: number | undefined
  // Arrow functions, because callers pass these three on as functions.
  readonly at = (height: number): CertifiedRoster | undefined => this.all[height]
  readonly named = (name: Uint8Array): CertifiedRoster | undefined => this.#byName.get(bytesToHex(name))
  readonly inForce = (epoch: number): CertifiedRoster | undefined => rosterInForce(this.all, epoch)

  constructor(founding: Predecessor) {
    this.#founding = founding
  }
  get newest(): CertifiedRoster | undefined {
    return this.all.at(-1)
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
    for (const overtaken of this.all.splice(path[0]?.roster.height ?? this.all.length)) {
      this.#byName.delete(rosterName(overtaken))
      this.#aside.set(bytesToHex(overtaken.hash), overtaken)
    }
    for (const certified of path) this.#push(certified)
  }
  add(certified: CertifiedRoster): boolean {
    const path = this.check(certified)
    this.take(path)
    return path.length > 0
  }
  restore(certified: CertifiedRoster): void {
    const { height, previous } = certified.roster
    if (height !== this.all.length) invalid(`expected height ${this.all.length}, got ${height}`)
    if (!equalBytes(previous, this.predecessor.hash)) invalid(`height ${height} follows another roster than ours`)
    this.#push(certified)
  }

  #push(certified: CertifiedRoster): void {
    this.all.push(certified)
    this.#byName.set(rosterName(certified), certified)
    this.#aside.delete(bytesToHex(certified.hash))
  }
  #known(): CertifiedRoster[] {
    return [...this.all, ...this.#aside.values()]
  }
  #isKnown(height: number, hash: Uint8Array): boolean {
    const ours = this.all[height]
    return (ours !== undefined && equalBytes(ours.hash, hash)) || this.#aside.has(bytesToHex(hash))
  }
  #originOf(named: Named): Origin {
    const parent = this.#parentOf(named)
    if (parent !== undefined) return { parent, predecessor: rosterToPredecessor(parent) }
    const { length } = this.all
    if (named.height > length) invalid(`expected height ${length} next, got ${named.height}: fetch the rosters between`)
    if (named.height > 0) invalid(`height ${named.height} follows another roster than ours`)
    return { parent, predecessor: this.#founding }
  }
  #parentOf({ height, previous }: Named): CertifiedRoster | undefined {
    const isParent = (item: CertifiedRoster | undefined): boolean =>
      item?.roster.height === height - 1 && equalBytes(item.hash, previous)
    return [this.all[height - 1], this.#aside.get(bytesToHex(previous))].find(isParent)
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
    if (parent === undefined || parent === this.all[parent.roster.height]) return []
    return [...this.#overtakenBefore(this.#parentOf(parent.roster)), parent]
  }
  #assertNoFork(): void {
    const height = this.#forkedAt
    if (height === undefined) return
    const message = `expected one certified roster for each period, got a second one of height ${height}: ask the operators which federation goes on`
    throw new FederationError('ROSTER_FORKED', message, { height })
  }
}
