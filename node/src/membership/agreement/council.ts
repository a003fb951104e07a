/**
 * How operators agree on the next roster, the founding roster first. PROTOCOL.md §4.7.
 * While a roster is due, a round runs every two seconds. In a round a peer catches up, obtains seeds and signs sheets.
 * An operator also proposes when it is its turn, and votes once. A quorum of votes makes the certificate.
 * Proposals and votes travel by gossip; each peer forms the certificate itself.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  type GossipMessage,
  isFederationError,
  type Manifest,
  manifestToRoster,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import type { Log } from '../../platform/log.ts'
import type { Peers } from '../peers.ts'
import type { RosterStore } from '../roster-store.ts'
import { type Bodies, createBodies } from './bodies.ts'
import type { CatchUp } from './catch-up.ts'
import { certify } from './certifier.ts'
import { type DueRoster, DueWatch, roundWaitMs } from './due.ts'
import { ownNonces } from './nonce-table.ts'
import type { Pool } from './pool.ts'
import { AgreementSteps, type SheetSource } from './steps.ts'
import type { Voter } from './voter.ts'

interface CouncilInit {
  manifest: Manifest
  peers: Peers
  host: Host
  rosters: RosterStore
  pool: Pool
  catchUp: CatchUp
  clock: Clock
  log: Log
  voter: Voter | undefined
  sheets: SheetSource | undefined
  /** Takes a message into our own pool and publishes it. */
  say(message: GossipMessage): void
}
export interface Council {
  /** Runs the first round; at founding resolves when that round is over. */
  start(): Promise<void>
  /** Runs a round soon with what is known here, because something changed. */
  nudge(): void
  /** A peer is back: fetches what that peer has, then runs a round. */
  meet(key: Uint8Array): void
  /** The proposal with this hash, if it is known here. */
  body(hash: Uint8Array): CertifiedRoster | undefined
  due(): DueRoster | undefined
  /** Resolves when the last round is over. */
  stop(): Promise<void>
}

export function createCouncil(init: CouncilInit): Council {
  return new RunningCouncil(init)
}

class RunningCouncil implements Council {
  readonly #init: CouncilInit
  readonly #bodies: Bodies
  readonly #watch: DueWatch
  readonly #steps: AgreementSteps
  readonly #meetings = new Set<Promise<void>>()
  #running: Promise<void> | undefined
  #isDueAgain = false
  #isStopped = false
  #cancel = (): void => {}

  constructor(init: CouncilInit) {
    const { manifest, rosters, clock } = init
    this.#init = init
    this.#bodies = createBodies(init)
    this.#watch = new DueWatch(manifestToRoster(manifest), rosters, clock)
    this.#steps = new AgreementSteps({ ...init, bodies: this.#bodies, watch: this.#watch })
    rosters.onAdd(() => this.#bodies.clear())
  }

  async start(): Promise<void> {
    this.#plan()
    const first = this.#run(true).finally(() => this.#plan())
    // A peer that knows a roster can serve before it has caught up.
    if (this.#init.rosters.newest === undefined) await first
  }

  nudge(): void {
    if (!this.#isStopped) void this.#run(false)
  }

  meet(key: Uint8Array): void {
    const { peers, catchUp } = this.#init
    const peer = peers.withKey(key)
    if (peer === undefined || this.#isStopped) return
    const meeting = catchUp.hear([peer]).then(() => {
      this.#meetings.delete(meeting)
      this.nudge()
    })
    this.#meetings.add(meeting)
  }

  body(hash: Uint8Array): CertifiedRoster | undefined {
    return this.#bodies.get(hash)
  }

  due(): DueRoster | undefined {
    return this.#watch.current()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#init.catchUp.stop()
    this.#cancel()
    await Promise.all([this.#running, ...this.#meetings])
  }

  /** Runs one round at a time. Calls during a round cause one more round after it. */
  #run(isAsking: boolean): Promise<void> {
    if (this.#running !== undefined) {
      this.#isDueAgain = true
      return this.#running
    }
    this.#running = this.#round(isAsking)
      .catch((error: unknown) => {
        this.#init.log.error('council.round-failed', { code: isFederationError(error) ? error.code : 'INTERNAL' })
      })
      .finally(() => {
        this.#running = undefined
        if (!this.#isDueAgain || this.#isStopped) return
        this.#isDueAgain = false
        void this.#run(false)
      })
    return this.#running
  }

  /** One round. `isAsking`: also asks other peers what they know and hold. */
  async #round(isAsking: boolean): Promise<void> {
    const { catchUp, rosters, peers, host, pool, voter, say, log } = this.#init
    if (isAsking) await catchUp.listen()
    if (this.#isStopped || rosters.isForked || !peers.has(host.key)) return
    if (voter !== undefined && rosters.newest !== undefined)
      for (const given of ownNonces(voter, rosters.newest, pool.nonces)) say(given)
    const due = this.#watch.current()
    if (due !== undefined) await this.#take(due, isAsking)
    // Also when no roster is due any more, because votes may come late.
    const parts = { rosters, pool, bodies: this.#bodies, ownKey: host.key, log }
    await certify(parts, rosters.nextHeight, rosters.predecessor)
  }

  async #take(due: DueRoster, isAsking: boolean): Promise<void> {
    const { voter } = this.#init
    this.#watch.triedMs(due)
    await this.#steps.sign(due, isAsking)
    const operator = voter?.operator(due.predecessor)
    if (voter === undefined || operator === undefined) return
    await this.#steps.vote(due, voter)
    await this.#steps.propose(due, voter, operator)
    await this.#steps.vote(due, voter)
  }

  #plan(): void {
    if (this.#isStopped) return
    const { rosters, clock } = this.#init
    this.#cancel()
    const tick = (): void => void this.#run(true).finally(() => this.#plan())
    this.#cancel = clock.setTimer(tick, roundWaitMs(rosters.newest?.roster, clock.now()))
  }
}
