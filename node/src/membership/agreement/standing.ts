/**
 * Whether this peer knows the rosters that the others know. PROTOCOL.md §4.11. The central peer pins a roster only then.
 * A third of the operators must agree, so that with fewer bad ones an honest peer is among them. One peer alone can neither
 * vouch for an old roster nor keep the central peer in doubt. It is asked once for the roster that it announces.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { boundedMap, bytesToHex, HOUR_MS, MEMBERS_MAX, MINUTE_MS, sponsorQuorum } from '@geotrace/core-wasm/wire'
import { drawPeers } from '../clock-watch.ts'
import type { Peer, Peers } from '../peers.ts'
import type { RosterStore } from '../roster-store.ts'
import type { CatchUp } from './catch-up.ts'
import type { Pool } from './pool.ts'

/**
 * `catching-up`: too few operators' peers have answered since the start. `checking`: a peer announced an unknown roster
 * and is asked for it. `apart`: too few peers agree, or too many announce a roster that nobody gives.
 */
export type Standing = 'catching-up' | 'checking' | 'current' | 'apart'

/** Peers that run answer within seconds. After this time their absence is no reason to keep devices waiting. */
const CATCH_UP_MAX_MS = 2 * MINUTE_MS
const TRY_MS = 2_000
/** Interval of tries after `CATCH_UP_MAX_MS`. */
const SLOW_TRY_MS = 30_000
/** A peer that announced a roster and did not give it keeps nobody in doubt for so long. */
const DOUBT_MS = HOUR_MS

/** One peer of the federation as `toStanding` sees it. */
interface PeerView {
  readonly operator: number
  /** It answered or sent a presence lately, and its newest roster is known here. */
  readonly isAgreeing: boolean
  /** Lately it announced a roster that is unknown here. */
  readonly isAhead: boolean
  /** It was asked for that roster in vain. */
  readonly isExamined: boolean
}

/** `need`: the operators that must agree. Pure. */
export function toStanding(need: number, views: readonly PeerView[]): Exclude<Standing, 'catching-up'> {
  const operators = (isOne: (view: PeerView) => boolean): number =>
    new Set(views.filter(isOne).map(({ operator }) => operator)).size
  if (views.some(({ isAhead, isExamined }) => isAhead && !isExamined)) return 'checking'
  const isApart = operators(({ isAhead }) => isAhead) >= need || operators(({ isAgreeing }) => isAgreeing) < need
  return isApart ? 'apart' : 'current'
}

interface StandingInit {
  ownKey: Uint8Array
  peers: Peers
  rosters: RosterStore
  pool: Pick<Pool, 'presence' | 'presenceMs' | 'onNews'>
  catchUp: CatchUp
  clock: Clock
  random: Random
  /** Presences and answers of before this moment are not recent, Unix ms. */
  sinceMs(): number
}
export interface StandingWatch {
  start(): void
  state(): Standing
  stop(): void
}

export function watchStanding(init: StandingInit): StandingWatch {
  return new Watch(init)
}

class Watch implements StandingWatch {
  readonly #init: StandingInit
  /** Until when a peer's announcement does not count, Unix ms by key in hex. */
  readonly #doubtedUntil = boundedMap<string, number>(MEMBERS_MAX)
  readonly #examining = new Set<string>()
  #startedMs = Number.POSITIVE_INFINITY
  #hasCaughtUp = false
  #cancel = (): void => {}
  #isStopped = false

  constructor(init: StandingInit) {
    this.#init = init
    init.pool.onNews((kind) => {
      if (kind === 'presence') this.#examine()
    })
  }

  start(): void {
    this.#startedMs = this.#init.clock.now()
    this.#catchUp()
  }

  state(): Standing {
    const { clock, rosters } = this.#init
    // Before the founding there is nothing to pin.
    if (rosters.newest === undefined) return 'current'
    if (this.#missing().length === 0) return toStanding(this.#need(), this.#others().map(this.#toView))
    return clock.now() - this.#startedMs < CATCH_UP_MAX_MS ? 'catching-up' : 'apart'
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  /** Asks one peer of each operator that has not answered since the start, until enough have. */
  #catchUp(): void {
    const { catchUp, clock, random } = this.#init
    const missing = this.#isStopped ? [] : this.#missing()
    if (missing.length === 0) return
    void catchUp.hear(drawPeers(missing, random))
    const isLate = clock.now() - this.#startedMs >= CATCH_UP_MAX_MS
    this.#cancel = clock.setTimer(() => this.#catchUp(), isLate ? SLOW_TRY_MS : TRY_MS)
  }

  /** Peers of operators that have not answered since the start; none when enough operators have, then and later. */
  #missing(): readonly Peer[] {
    const { catchUp, rosters } = this.#init
    if (this.#hasCaughtUp || rosters.newest === undefined) return []
    const others = this.#others()
    const heard = others.filter(({ key }) => catchUp.heardMs(key) !== undefined)
    const operators = new Set(heard.map(({ operator }) => operator))
    this.#hasCaughtUp = operators.size >= this.#need()
    return this.#hasCaughtUp ? [] : others.filter(({ operator }) => !operators.has(operator))
  }

  /** Asks each peer that announced an unknown roster once for it. */
  #examine(): void {
    const { catchUp, clock } = this.#init
    if (this.#isStopped || this.#missing().length > 0) return
    for (const peer of this.#others()) {
      const name = bytesToHex(peer.key)
      const { isAhead, isExamined } = this.#toView(peer)
      if (!isAhead || isExamined || this.#examining.has(name)) continue
      this.#examining.add(name)
      void catchUp.hear([peer]).then(() => {
        this.#examining.delete(name)
        if (this.#toView(peer).isAhead) this.#doubtedUntil.set(name, clock.now() + DOUBT_MS)
      })
    }
  }

  #others(): readonly Peer[] {
    return this.#init.peers.others(this.#init.ownKey)
  }

  /** A third of the operators, at most all others. */
  #need(): number {
    const others = new Set(this.#others().map(({ operator }) => operator)).size
    return Math.min(sponsorQuorum(this.#init.rosters.newest!.roster.operators.length), others)
  }

  readonly #toView = ({ key, operator }: Peer): PeerView => {
    const { pool, rosters, catchUp, clock, sinceMs } = this.#init
    const presence = pool.presence(key)
    const isRecent = (pool.presenceMs(key) ?? Number.NEGATIVE_INFINITY) >= sinceMs()
    const hasRoster = presence?.roster.some((byte) => byte !== 0) === true
    const isKnown = hasRoster && rosters.named(presence.roster) !== undefined
    const isAgreeing = (isRecent && isKnown) || (catchUp.heardMs(key) ?? Number.NEGATIVE_INFINITY) >= sinceMs()
    const isExamined = (this.#doubtedUntil.get(bytesToHex(key)) ?? 0) > clock.now()
    // A peer that is far behind names a roster that is not in memory any more.
    const isOld = presence !== undefined && presence.height < (rosters.recent[0]?.roster.height ?? 0)
    return { operator, isAgreeing, isAhead: isRecent && hasRoster && !isKnown && !isOld, isExamined }
  }
}
