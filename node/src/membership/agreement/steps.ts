/**
 * The steps of a round: sign sheets, vote, propose. PROTOCOL.md §4.7. The rules are in proposal.ts, standing-proposals.ts
 * and settling.ts.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bodyToCertified,
  type CertifiedRoster,
  effortSpan,
  encodeRoster,
  equalBytes,
  type GossipMessage,
  type GossipVote,
  isFederationError,
  type Proposal,
  type Roster,
  type SignedSheet,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import type { Log } from '../../platform/log.ts'
import type { RosterStore } from '../roster-store.ts'
import type { Bodies } from './bodies.ts'
import type { DueRoster, DueWatch } from './due.ts'
import type { Pool } from './pool.ts'
import { toSheetMessages } from './pool-messages.ts'
import { composeRoster, isAgreeable, type Judging, sheetsToRoots } from './proposal.ts'
import { proposerTurn } from './proposer-order.ts'
import { settling } from './settling.ts'
import { standingProposals } from './standing-proposals.ts'
import type { Voter } from './voter.ts'

/** Interval between the turns of two proposers, counted from when the sheets are complete. */
const TURN_MS = 10_000
/** At founding all operators propose the same body, so a short turn costs nothing. */
const FOUNDING_TURN_MS = 2_000
/** Clocks of peers that serve are at most 30 s off, so two of them differ by at most a minute. */
const CLOCKS_APART_MS = 60_000

/** How a peer that holds shards takes part in an agreement. The central peer has no such source. */
export interface SheetSource {
  /**
   * Tries to hold the seeds of its shards in the roster that is due, and to sign their sheets. `forMs` is how long this
   * peer has tried; without `forMs` it asks no peer and signs only what others confirmed.
   */
  acquire(
    roster: Roster,
    forMs: number | undefined,
    signedRoot: (key: Uint8Array, shard: number) => Uint8Array | undefined,
  ): Promise<void>
  /** The sheets that this peer signed for the roster that begins with this epoch. */
  signed(firstEpoch: number): readonly SignedSheet[]
}

interface StepsInit {
  host: Host
  rosters: RosterStore
  pool: Pool
  bodies: Bodies
  watch: DueWatch
  clock: Clock
  log: Log
  sheets: SheetSource | undefined
  /** Takes a message into our own pool and publishes it. */
  say(message: GossipMessage): void
}

export class AgreementSteps {
  readonly #init: StepsInit
  readonly #hasSettled: (hash: Uint8Array) => boolean
  /** When all sheets of a period were signed first. */
  #complete: { readonly firstEpoch: number; readonly at: number } | undefined

  constructor(init: StepsInit) {
    this.#init = init
    this.#hasSettled = settling(init.clock)
  }

  /** Obtains seeds, signs sheets and publishes those that are new. `isAsking`: also asks other replicas. */
  async sign(due: DueRoster, isAsking: boolean): Promise<void> {
    const { sheets, pool, host, watch, say } = this.#init
    if (sheets === undefined) return
    const { previous, firstEpoch } = due.roster
    const forMs = watch.triedMs(due)
    const sheetsOf = (key: Uint8Array) =>
      pool.sheets(firstEpoch).find((message) => equalBytes(message.key, key))?.sheets
    const signedRoot = (key: Uint8Array, shard: number): Uint8Array | undefined =>
      sheetsOf(key)?.find((sheet) => sheet.shard === shard)?.root
    await sheets.acquire(due.roster, isAsking ? forMs : undefined, signedRoot)
    const signed = sheets.signed(firstEpoch)
    const publishedShards = new Set(sheetsOf(host.key)?.map(({ shard }) => shard))
    if (signed.every(({ shard }) => publishedShards.has(shard))) return
    const message = { kind: 'sheets' as const, key: host.key, previous, firstEpoch, sheets: [...signed] }
    for (const part of toSheetMessages(message)) say(part)
  }

  /** Proposes when it is this operator's turn and no proposal stands that it would vote for. */
  async propose(due: DueRoster, voter: Voter, operator: number): Promise<void> {
    const { pool, bodies, watch, clock } = this.#init
    const { height, firstEpoch, predecessor } = due
    const roots = sheetsToRoots(due.roster, pool.sheets(firstEpoch), { makeDo: watch.isShort(due) })
    if (roots === undefined) return
    if (this.#complete?.firstEpoch !== firstEpoch) this.#complete = { firstEpoch, at: clock.now() }
    // A proposal whose body is unknown, or that we would not vote for, does not stop us from proposing.
    if (this.#standing(due).some((item) => this.#agrees(due, item, bodies.get(item.hash)))) return
    const turnMs = height === 0 ? FOUNDING_TURN_MS : TURN_MS
    if (clock.now() < this.#complete.at + proposerTurn(predecessor, firstEpoch, operator) * turnMs) return
    const { newest } = this.#init.rosters
    const roster =
      newest === undefined
        ? predecessor.expect({ ...due.roster, sheets: roots.sheets })
        : composeRoster(newest, firstEpoch, roots.sheets, pool)
    await this.#publish(due, voter, bodyToCertified(encodeRoster(roster), roots.sheetSignatures, []))
  }

  async #publish({ roster, height, firstEpoch, predecessor }: DueRoster, voter: Voter, body: CertifiedRoster) {
    const { bodies, host, say } = this.#init
    bodies.keep(body)
    const ballot = { federation: roster.federation, height, firstEpoch, hash: body.hash }
    const signed = await voter.propose(predecessor, ballot, host.key)
    if (signed !== undefined) say(signed)
  }

  /** Votes once a period, for the first proposal that stands and passes all checks. */
  async vote(due: DueRoster, voter: Voter): Promise<void> {
    const { pool, bodies, log, say } = this.#init
    const { height, firstEpoch, predecessor, roster } = due
    const operator = voter.operator(predecessor)
    const isOwn = (v: GossipVote): boolean => v.operator === operator && v.firstEpoch === firstEpoch
    if (operator === undefined || pool.votes(height).some(isOwn)) return
    for (const item of this.#standing(due)) {
      const { hash, holder } = item
      const body = await bodies.fetch(predecessor, hash, holder)
      if (body?.roster.firstEpoch !== firstEpoch || !this.#agrees(due, item, body)) continue
      if (height > 0 && !this.#hasSettled(hash)) return
      try {
        const ballot = { federation: roster.federation, height, firstEpoch, hash }
        say({ kind: 'vote', height, firstEpoch, hash, ...(await voter.vote(predecessor, ballot)) })
        return
      } catch (error) {
        if (!isFederationError(error)) throw error
        log.warn('council.refused', { height, code: error.code })
      }
    }
  }

  #standing(due: DueRoster): Proposal[] {
    const { pool, rosters } = this.#init
    const proposals = pool.proposals(due.height, due.firstEpoch)
    return standingProposals(proposals, due, rosters.newest?.roster, pool.isConvicted)
  }

  #agrees(due: DueRoster, { operator }: Proposal, body: CertifiedRoster | undefined): boolean {
    const { pool, rosters, watch } = this.#init
    const judging: Judging = {
      makeDo: watch.isShort(due),
      heldBefore: effortSpan(due.roster.periodEpochs, due.firstEpoch).from - CLOCKS_APART_MS,
      proposer: { voter: operator, committed: committedIndex(rosters, due, operator) },
    }
    return body !== undefined && isAgreeable(body, pool, judging)
  }
}

/** The index of an operator's commitment in the newest roster; undefined when its key could not commit to it. */
function committedIndex(rosters: RosterStore, { predecessor }: DueRoster, operator: number): number | undefined {
  const { newest } = rosters
  const committing = newest && rosters.at(newest.roster.height - 1)?.roster.operators
  const { key } = predecessor.operators[operator]!
  const index = committing?.findIndex((item) => equalBytes(item.key, key))
  return index === undefined || index < 0 || newest?.roster.commitments[index] == null ? undefined : index
}
