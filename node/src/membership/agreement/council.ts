/**
 * How operators agree on the next roster, the founding roster first. PROTOCOL.md §4.7.
 * While a roster is due, a round runs every two seconds. In a round a peer catches up, obtains seeds and signs sheets.
 * An operator also proposes when it is its turn, and votes once. A quorum of votes makes the certificate.
 * Proposals and votes travel by gossip; each peer forms the certificate itself.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bodyToCertified,
  boundedMap,
  bytesToHex,
  type CertifiedRoster,
  effortSpan,
  encodeRoster,
  equalBytes,
  type GossipMessage,
  isFederationError,
  isGone,
  type Manifest,
  manifestToRoster,
  nextFirstEpoch,
  OPERATORS_MAX,
  type Predecessor,
  type Proposal,
  type Roster,
  type SignedSheet,
  succeed,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import type { Log } from '../../platform/log.ts'
import type { Peers } from '../peers.ts'
import type { RosterStore } from '../roster-store.ts'
import { createBodies } from './bodies.ts'
import type { CatchUp } from './catch-up.ts'
import { certify } from './certifier.ts'
import { ownNonces } from './nonce-table.ts'
import { type Pool, toSheetMessages } from './pool.ts'
import { composeRoster, isAgreeable, type Judging, sheetsToRoots } from './proposal.ts'
import { proposerTurn } from './proposer-order.ts'
import type { Voter } from './voter.ts'

/** Interval between rounds while a roster is due. */
export const ROUND_MS = 2_000
/** Interval between the turns of two proposers, counted from when the sheets are complete. */
const TURN_MS = 10_000
/** At founding all operators propose the same body, so a short turn costs nothing. */
const FOUNDING_TURN_MS = 2_000
/**
 * A vote waits for this long after its proposal came. An operator that shows other peers another proposal is convicted
 * meanwhile, so that its two proposals part no votes. Gossip reaches all peers within a second.
 */
const SETTLE_MS = 3_000
/** Clocks of peers that serve are at most 30 s off, so two of them differ by at most a minute. */
const CLOCKS_APART_MS = 60_000
/** A peer accepts incomplete sheets only after this time, because a peer that just began knows too few of them. */
const MAKE_DO_AFTER_MS = 60_000
/** Longest interval between two rounds while no roster is due. Each round asks one peer for news. */
const QUIET_MS = 60_000

/** A roster that is due. The roster before fixes which members hold which shards; everything else is still open. */
interface DueRoster {
  readonly height: number
  readonly firstEpoch: number
  readonly predecessor: Predecessor
  /** Without sheets, changes and reveals. */
  readonly roster: Roster
}

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
  const { manifest, peers, host, rosters, pool, catchUp, clock, log, voter, sheets, say } = init
  const bodies = createBodies({ peers, host, clock, log })
  let since: { firstEpoch: number; at: number } | undefined
  let completeMs: { firstEpoch: number; at: number } | undefined
  /** When a proposal that we would vote for was first seen, Unix ms by its hash in hex. */
  const seenMs = boundedMap<string, number>(OPERATORS_MAX)
  let running: Promise<void> | undefined
  const meetings = new Set<Promise<void>>()
  let again = false
  let stopped = false
  let cancel = (): void => {}

  const founding = manifestToRoster(manifest)
  let known: DueRoster | undefined
  let knownAfter: CertifiedRoster | undefined
  const due = (): DueRoster | undefined => {
    const firstEpoch = dueEpoch(founding, rosters.newest?.roster, clock.now())
    if (firstEpoch === undefined) return undefined
    // Return the same object while nothing changed, because what is derived from a roster is cached by object.
    if (known === undefined || knownAfter !== rosters.newest || known.firstEpoch !== firstEpoch) {
      knownAfter = rosters.newest
      known = dueRoster(founding, rosters, firstEpoch)
    }
    return known
  }
  /** In the last quarter of the effort, sheets that fewer than a majority signed are accepted. */
  const isShort = (now: DueRoster): boolean =>
    now.height > 0 &&
    clock.now() >= effortSpan(now.roster.periodEpochs, now.firstEpoch).makeDoFrom &&
    triedMs(now) >= MAKE_DO_AFTER_MS
  /** How long this peer has been trying for a roster, ms. */
  const triedMs = ({ firstEpoch }: DueRoster): number => {
    if (since?.firstEpoch !== firstEpoch) since = { firstEpoch, at: clock.now() }
    return clock.now() - since.at
  }

  const sign = async (now: DueRoster, isAsking: boolean): Promise<void> => {
    if (sheets === undefined) return
    const { roster } = now
    const { previous, firstEpoch } = roster
    const forMs = triedMs(now)
    await sheets.acquire(
      roster,
      isAsking ? forMs : undefined,
      (key, shard) =>
        pool
          .sheets(firstEpoch)
          .find((message) => equalBytes(message.key, key))
          ?.sheets.find((sheet) => sheet.shard === shard)?.root,
    )
    const signed = sheets.signed(firstEpoch)
    const published = pool.sheets(firstEpoch).find(({ key }) => equalBytes(key, host.key))?.sheets
    const publishedShards = new Set(published?.map(({ shard }) => shard))
    if (signed.every(({ shard }) => publishedShards.has(shard))) return
    for (const message of toSheetMessages({
      kind: 'sheets',
      key: host.key,
      previous,
      firstEpoch,
      sheets: [...signed],
    })) {
      say(message)
    }
  }

  const mayPropose = (key: Uint8Array): boolean =>
    !pool.isConvicted(key) && !(rosters.newest !== undefined && isGone(rosters.newest.roster, key))
  /** Proposals in the order of their proposers, without those of an operator that is gone or proven a liar. */
  const standing = ({ height, firstEpoch, predecessor }: DueRoster): Proposal[] =>
    pool
      .proposals(height, firstEpoch)
      .filter(({ operator }) => mayPropose(predecessor.operators[operator]!.key))
      .sort(
        (a, b) => proposerTurn(predecessor, firstEpoch, a.operator) - proposerTurn(predecessor, firstEpoch, b.operator),
      )

  const judging = (now: DueRoster, { operator }: Proposal): Judging => ({
    makeDo: isShort(now),
    heldBefore: effortSpan(now.roster.periodEpochs, now.firstEpoch).from - CLOCKS_APART_MS,
    proposer: { voter: operator, committed: committedIndex(rosters, now, operator) },
  })

  const propose = async (now: DueRoster, own: Voter, operator: number): Promise<void> => {
    const { height, firstEpoch, predecessor } = now
    const makeDo = isShort(now)
    const roots = sheetsToRoots(now.roster, pool.sheets(firstEpoch), { makeDo })
    if (roots === undefined) return
    if (completeMs?.firstEpoch !== firstEpoch) completeMs = { firstEpoch, at: clock.now() }
    // A proposal whose body is unknown, or that we would not vote for, does not stop us from proposing.
    const agrees = (item: Proposal, body = bodies.get(item.hash)): boolean =>
      body !== undefined && isAgreeable(body, pool, judging(now, item))
    if (standing(now).some((item) => agrees(item))) return
    const turnMs = height === 0 ? FOUNDING_TURN_MS : TURN_MS
    if (clock.now() < completeMs.at + proposerTurn(predecessor, firstEpoch, operator) * turnMs) return
    const { newest } = rosters
    const roster =
      newest === undefined
        ? predecessor.expect({ ...now.roster, sheets: roots.sheets })
        : composeRoster(newest, firstEpoch, roots.sheets, pool)
    const proposal = bodyToCertified(encodeRoster(roster), roots.sheetSignatures, [])
    bodies.keep(proposal)
    const { federation } = now.roster
    const signed = await own.propose(predecessor, { federation, height, firstEpoch, hash: proposal.hash }, host.key)
    if (signed !== undefined) say(signed)
  }

  const hasSettled = (hash: Uint8Array): boolean => {
    const name = bytesToHex(hash)
    const firstMs = seenMs.get(name) ?? clock.now()
    seenMs.set(name, firstMs)
    return clock.now() - firstMs >= SETTLE_MS
  }

  const vote = async (now: DueRoster, own: Voter): Promise<void> => {
    const { height, firstEpoch, predecessor } = now
    const operator = own.operator(predecessor)
    if (
      operator === undefined ||
      pool.votes(height).some((v) => v.operator === operator && v.firstEpoch === firstEpoch)
    )
      return
    for (const item of standing(now)) {
      const { hash, holder } = item
      const proposal = await bodies.fetch(predecessor, hash, holder)
      if (proposal === undefined || proposal.roster.firstEpoch !== firstEpoch) continue
      if (!isAgreeable(proposal, pool, judging(now, item))) continue
      if (height > 0 && !hasSettled(hash)) return
      try {
        const given = await own.vote(predecessor, { federation: proposal.roster.federation, height, firstEpoch, hash })
        say({ kind: 'vote', height, firstEpoch, hash, ...given })
        return
      } catch (error) {
        if (!isFederationError(error)) throw error
        log.warn('council.refused', { height, code: error.code })
      }
    }
  }

  /** One round. `isAsking`: also asks other peers what they know and hold. */
  const round = async (isAsking: boolean): Promise<void> => {
    if (isAsking) await catchUp.listen()
    if (stopped || rosters.isForked || !peers.has(host.key)) return
    if (voter !== undefined && rosters.newest !== undefined)
      for (const given of ownNonces(voter, rosters.newest, pool.nonces)) say(given)
    const now = due()
    if (now !== undefined) {
      triedMs(now)
      await sign(now, isAsking)
      const operator = voter?.operator(now.predecessor)
      if (voter !== undefined && operator !== undefined) {
        await vote(now, voter)
        await propose(now, voter, operator)
        await vote(now, voter)
      }
    }
    // Also when no roster is due any more, because votes may come late.
    await certify({ rosters, pool, bodies, ownKey: host.key, log }, rosters.nextHeight, rosters.predecessor)
  }

  /** Runs one round at a time. Calls during a round cause one more round after it. */
  const run = (isAsking: boolean): Promise<void> => {
    if (running !== undefined) {
      again = true
      return running
    }
    running = round(isAsking)
      .catch((error: unknown) => {
        log.error('council.round-failed', { code: isFederationError(error) ? error.code : 'INTERNAL' })
      })
      .finally(() => {
        running = undefined
        if (again && !stopped) {
          again = false
          void run(false)
        }
      })
    return running
  }
  const plan = (): void => {
    if (stopped) return
    cancel()
    cancel = clock.setTimer(tick, waitMs())
  }
  const waitMs = (): number => {
    const { newest } = rosters
    if (due() !== undefined || newest === undefined) return ROUND_MS
    const { from } = effortSpan(newest.roster.periodEpochs, nextFirstEpoch(newest.roster, clock.now()))
    return Math.min(QUIET_MS, Math.max(ROUND_MS, from - clock.now()))
  }
  const tick = (): void => void run(true).finally(plan)

  rosters.onAdd(() => bodies.clear())
  return {
    async start() {
      plan()
      const first = run(true).finally(plan)
      // A peer that knows a roster can serve before it has caught up.
      if (rosters.newest === undefined) await first
    },
    nudge: () => void (stopped || run(false)),
    meet(key) {
      const peer = peers.withKey(key)
      if (peer === undefined || stopped) return
      const meeting = catchUp.hear([peer]).then(() => {
        meetings.delete(meeting)
        if (!stopped) void run(false)
      })
      meetings.add(meeting)
    },
    body: bodies.get,
    due,
    async stop() {
      stopped = true
      catchUp.stop()
      cancel()
      await Promise.all([running, ...meetings])
    },
  }
}

/** The first epoch of the roster that operators should agree on at `nowMs`; undefined while none is due. */
function dueEpoch(founding: Roster, newest: Roster | undefined, nowMs: number): number | undefined {
  if (newest === undefined) return founding.firstEpoch
  const firstEpoch = nextFirstEpoch(newest, nowMs)
  return nowMs < effortSpan(newest.periodEpochs, firstEpoch).from ? undefined : firstEpoch
}

/** The index of an operator's commitment in the newest roster; undefined when its key could not commit to it. */
function committedIndex(rosters: RosterStore, { predecessor }: DueRoster, operator: number): number | undefined {
  const { newest } = rosters
  const committing = newest && rosters.at(newest.roster.height - 1)?.roster.operators
  const { key } = predecessor.operators[operator]!
  const index = committing?.findIndex((item) => equalBytes(item.key, key))
  return index === undefined || index < 0 || newest?.roster.commitments[index] == null ? undefined : index
}

function dueRoster(founding: Roster, { newest, predecessor }: RosterStore, firstEpoch: number): DueRoster {
  if (newest === undefined) return { height: 0, firstEpoch, predecessor, roster: founding }
  const roster = succeed(newest, { firstEpoch, changes: [], commitments: [], reveals: [], sheets: [] })
  return { height: newest.roster.height + 1, firstEpoch, predecessor, roster }
}
