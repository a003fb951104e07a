/**
 * Follows the certified rosters of a federation. PROTOCOL.md §4.6, §7.3. A follower restores the kept rosters and asks
 * a peer for the next ones. When the peer's rosters differ, it looks back for the height where they part from ours.
 * Members follow certificates, devices follow steps. The caller injects requests and storage. Throws ROSTER_INVALID,
 * ROSTER_FORKED, MESSAGE_MALFORMED (a step), and every error of an injected function.
 */
import { equalBytes } from '../encoding/bytes.ts'
import { isFederationError } from '../errors.ts'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  encodeCertifiedRoster,
  hashToRosterName,
} from '../federation/roster.ts'
import type { RosterChain } from './chain.ts'
import { decodeRosterStep, encodeRosterStep, type RosterStep } from './roster-step.ts'

/** Rosters that one call of `follow` takes from a peer: ten years of daily rosters. */
export const CATCH_UP_MAX = 4_000
/** Heights that one search for a fork asks for, one request each: a month of daily rosters. */
export const LOOK_BACK_MAX = 30

/** Asks a peer for its roster of this height; `undefined` when the peer has none. */
export type FetchRoster = (height: number) => Promise<Uint8Array | undefined>
/** Asks a peer for the roster of this name, 8 bytes; `undefined` when the peer does not know it. */
export type FetchNamed = (name: Uint8Array) => Promise<Uint8Array | undefined>

/** The form in which peers hand out a roster. */
export interface RosterForm<T> {
  /** Throws ROSTER_INVALID or MESSAGE_MALFORMED. */
  decode(bytes: Uint8Array): T
  encode(item: T): Uint8Array
  /** Hash of the roster before. */
  previous(item: T): Uint8Array
  /** The rosters to take for this item. Throws ROSTER_INVALID, ROSTER_FORKED. */
  check(chain: RosterChain, item: T): readonly CertifiedRoster[]
}

/** Members exchange whole certificates. */
export const CERTIFICATE_FORM: RosterForm<CertifiedRoster> = {
  decode: decodeCertifiedRoster,
  encode: encodeCertifiedRoster,
  previous: ({ roster }) => roster.previous,
  check: (chain, certified) => chain.check(certified),
}

/** A device receives steps. */
export const STEP_FORM: RosterForm<RosterStep> = {
  decode: decodeRosterStep,
  encode: encodeRosterStep,
  previous: ({ previous }) => previous,
  check: (chain, step) => chain.checkStep(step),
}

/** A certificate and the height under which it is kept. */
interface KeptRoster {
  height: number
  bytes: Uint8Array
}

/** Where this machine keeps rosters. */
export interface RosterRecords {
  /** The height at which `restore` begins: 0, or that of the oldest recent roster. */
  first(): Promise<number>
  get(height: number): Promise<Uint8Array | undefined>
  /** Resolves when all these rosters, ascending by height, are durable. */
  put(kept: readonly KeptRoster[]): Promise<void>
  /** The second roster of a fork, in the form in which it came. */
  getFork(): Promise<Uint8Array | undefined>
  putFork(encoded: Uint8Array): Promise<void>
}

export interface RosterFollowerInit<T> {
  chain: RosterChain
  form: RosterForm<T>
  records: RosterRecords
  /** Runs one task at a time, because several peers send the same roster at once and a check costs signatures. */
  turn: <R>(task: () => Promise<R>) => Promise<R>
  /** Called after the chain takes rosters and before the next `add` begins. */
  onTake?(path: readonly CertifiedRoster[]): void
  /** Called when a certified roster came that another one had overtaken. */
  onOvertaken?(certified: CertifiedRoster): void
}

export class RosterFollower<T> {
  readonly chain: RosterChain
  readonly #form: RosterForm<T>
  readonly #records: RosterRecords
  readonly #turn: RosterFollowerInit<T>['turn']
  readonly #onTake: (path: readonly CertifiedRoster[]) => void
  readonly #onOvertaken: (certified: CertifiedRoster) => void
  #fork: Uint8Array | undefined

  constructor(init: RosterFollowerInit<T>) {
    const { chain, form, records, turn, onTake = () => {}, onOvertaken = () => {} } = init
    this.chain = chain
    this.#form = form
    this.#records = records
    this.#turn = turn
    this.#onTake = onTake
    this.#onOvertaken = onOvertaken
  }

  /** The second roster of a fork, encoded. Once there is one, the follower takes nothing more. */
  get fork(): Uint8Array | undefined {
    return this.#fork
  }

  /** Restores the kept rosters into an empty chain. Throws ROSTER_INVALID for a record that is no roster. */
  async restore(): Promise<void> {
    if (this.chain.newest === undefined) await this.#restoreChain()
    this.#fork = await this.#records.getFork()
  }

  async #restoreChain(): Promise<void> {
    const { chain } = this
    const first = await this.#records.first()
    for (let height = first; ; height++) {
      const bytes = await this.#records.get(height)
      if (bytes === undefined) return
      const certified = decodeCertifiedRoster(bytes)
      const { previous } = certified.roster
      const isLinked = equalBytes(previous, chain.predecessor.hash) || (height === first && height > 0)
      // A crash can leave rosters of an overtaken branch above ours.
      if (certified.roster.height !== height || !isLinked) return
      chain.restore(certified)
    }
  }

  /** Checks a roster, keeps it and then takes it; false when it adds nothing. */
  add(item: T): Promise<boolean> {
    return this.#turn(async () => {
      if (this.#fork !== undefined) return false
      const before = this.chain.overtaken.at(-1)
      const path = await this.#check(item)
      const latest = this.chain.overtaken.at(-1)
      if (latest !== undefined && latest !== before) this.#onOvertaken(latest)
      if (path.length === 0) return false
      // First the disk, then the chain: no peer acts on a roster that a crash could take back.
      await this.#records.put(
        path.map((certified) => ({ height: certified.roster.height, bytes: encodeCertifiedRoster(certified) })),
      )
      this.chain.take(path)
      this.#onTake(path)
      return true
    })
  }

  /** Takes the next rosters of one peer until the peer has no more or repeats itself. */
  async follow(fetch: FetchRoster): Promise<void> {
    for (let count = 0; count < CATCH_UP_MAX; count++) {
      const height = this.chain.nextHeight
      const ours = this.chain.predecessor.hash
      const bytes = await fetch(height)
      if (bytes === undefined) return
      const next = this.#form.decode(bytes)
      if (!equalBytes(this.#form.previous(next), ours)) await this.lookBack(fetch, height - 1)
      if (!(await this.add(next))) return
    }
  }

  /**
   * Asks a peer for its rosters from this height down, until one follows a roster of ours. If that one is certified
   * for a period that has a roster already, it is a fork; if no such roster comes, the peer is not telling the truth.
   */
  async lookBack(fetch: FetchRoster, from: number): Promise<void> {
    for (let height = from; height >= 0 && height > from - LOOK_BACK_MAX; height--) {
      const bytes = await fetch(height)
      if (bytes === undefined) return
      const item = this.#form.decode(bytes)
      try {
        await this.add(item)
        return
      } catch (error) {
        // The roster before this one differs too: the branches part farther back.
        if (!isFederationError(error, 'ROSTER_INVALID')) throw error
      }
    }
  }

  /**
   * Fetches the roster of this name, for example an overtaken one that the central peer pinned, and the unknown rosters
   * before it. True when the chain knows the roster afterwards. Throws as `add` and `fetch`.
   */
  async fetchNamed(fetch: FetchNamed, name: Uint8Array): Promise<boolean> {
    const missing: T[] = []
    // A founding roster names the federation as the roster before. Another founding roster than ours is a fork.
    const end = hashToRosterName(this.chain.founding)
    for (let wanted = name; this.chain.named(wanted) === undefined && !equalBytes(wanted, end); ) {
      const bytes = missing.length < LOOK_BACK_MAX ? await fetch(wanted) : undefined
      if (bytes === undefined) return false
      const item = this.#form.decode(bytes)
      missing.push(item)
      wanted = hashToRosterName(this.#form.previous(item))
    }
    for (const item of missing.reverse()) await this.add(item)
    return this.chain.named(name) !== undefined
  }

  /** Keeps the roster that forks, so that a restart does not forget the fork. */
  async #check(item: T): Promise<readonly CertifiedRoster[]> {
    try {
      return this.#form.check(this.chain, item)
    } catch (error) {
      if (isFederationError(error, 'ROSTER_FORKED')) {
        this.#fork = this.#form.encode(item)
        await this.#records.putFork(this.#fork)
      }
      throw error
    }
  }
}
