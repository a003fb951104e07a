/**
 * A peer's part in the federation: its rosters, its vote, what it hears and says, its links. PROTOCOL.md §4, §7.5.
 * Salt nodes and the central peer build on it alike; only salt nodes bring sheets. Who is in no roster yet runs it too:
 * it follows the rosters and takes part from when one names it.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import {
  type Change,
  type Evidence,
  encodeChange,
  encodeEvidence,
  encodeGossip,
  equalBytes,
  FederationError,
  type GossipMessage,
  type Handover,
  hasRoomFor,
  type Manifest,
  manifestToId,
  newChange,
  type PeerAddress,
  ROSTER_PROTOCOL,
  type SignedChange,
  type Signer,
  signChange,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import type { Records } from '../platform/file-records.ts'
import type { Log } from '../platform/log.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import { type Council, createCouncil, type SheetSource } from './agreement/council.ts'
import { createPool, type Pool } from './agreement/pool.ts'
import { createVoter, type Voter } from './agreement/voter.ts'
import { keepLinks } from './links.ts'
import { type Pace, REAL_PACE } from './pace.ts'
import { livePeers, type Peers } from './peers.ts'
import { presenceBeat } from './presence.ts'
import { rosterService } from './roster-service.ts'
import { openRosterStore, type RosterStore } from './roster-store.ts'

const NOBODY: readonly PeerAddress[] = []
/** A move is worth making for a week; then it is made again. */
const CHANGE_LIFE_EPOCHS = 126

export interface MembershipInit {
  manifest: Manifest
  host: Host
  signer: Signer
  /** Of this federation only: `assertSameFederation` sees to it. */
  records: Records
  /** Known already, or opened here from `records`. */
  rosters?: RosterStore
  clock: Clock
  random: Random
  log: Log
  /** 32-byte secret of this peer's operator, if the operator votes here. */
  operatorSecret?: Uint8Array
  /** Where others reach this peer. */
  addresses(): readonly string[]
  sheets?: SheetSource
  /** Whom it shares shards with. */
  otherReplicas?(): readonly PeerAddress[]
  pace?: Pace
}
export interface Membership {
  readonly peers: Peers
  readonly rosters: RosterStore
  readonly pool: Pool
  readonly voter: Voter | undefined
  /** Serves the roster protocol and runs the first round; at founding resolves when it is over. */
  start(): Promise<void>
  /** Resolves when nothing of it is under way any more; stop the host meanwhile, or it waits for others. */
  stop(): Promise<void>
  /** Whether the newest roster names this peer. */
  isPeer(): boolean
  /** Puts a signed change before the federation. Throws CHANGE_INVALID when it is worth nothing to it, or has no room. */
  submit(change: SignedChange): void
  accuse(evidence: Evidence): void
  say(message: GossipMessage): void
  status(): MembershipStatus
}
/** Counts and public keys only. */
export interface MembershipStatus {
  isForked: boolean
  /** Height of the roster that is being agreed on. */
  due: number | undefined
  peers: { key: Uint8Array; operator: string; role: string; isHere: boolean; linked: boolean }[]
  handovers: Handover[]
}

/** Throws MANIFEST_INVALID, ROSTER_INVALID, STORAGE_CORRUPT. */
export async function createMembership(init: MembershipInit): Promise<Membership> {
  const {
    manifest,
    host,
    signer,
    records,
    clock,
    random,
    log,
    operatorSecret,
    sheets,
    addresses,
    pace = REAL_PACE,
  } = init
  const rosters = init.rosters ?? (await openRosterStore(manifest, records))
  const voter = operatorSecret && createVoter(nativeSigner(operatorSecret), operatorSecret, records)
  const peers = livePeers({
    manifest,
    newest: () => rosters.newest?.roster,
    addresses: (key) => pool.presence(key)?.addresses ?? [],
    isConvicted: (key) => pool.isConvicted(key),
    version: () => pool.version(),
  })
  const isPeer = (key: Uint8Array): boolean => peers.has(key)
  const publish = (bytes: Uint8Array): void => {
    host.gossip.publish(bytes).catch(() => log.warn('gossip.not-published'))
  }
  const pool = createPool({ manifest, rosters, clock, isPeer, spread: publish })
  const submitBytes = (bytes: Uint8Array): boolean => {
    if (pool.offer(bytes) !== 'accept') return false
    publish(bytes)
    return true
  }
  const say = (message: GossipMessage): void => void submitBytes(encodeGossip(message))
  const beat = presenceBeat({ signer, rosters, clock, addresses, members: () => peers.all().length, say, pace })
  const council: Council = createCouncil({
    ...{ manifest, peers, host, rosters, pool, clock, random, log, voter, sheets, say },
  })
  const links = keepLinks({
    host,
    clock,
    others: () => peers.others(host.key),
    otherReplicas: init.otherReplicas ?? (() => NOBODY),
    pace,
  })

  /** Says its own new addresses to the federation when the roster has others. */
  const move = (): void => {
    const self = rosters.newest?.roster.members.find(({ key }) => equalBytes(key, signer.key))
    const here = [...addresses()]
    const waiting = lastMove(pool.changes(), signer.key)
    // Where the roster will have it once the move that it said last is made.
    if (self === undefined || here.length === 0 || sameItems(waiting?.addresses ?? self.addresses, here)) return
    const until = rosters.newest!.roster.firstEpoch + CHANGE_LIFE_EPOCHS
    // Later than the last one, also by a clock that was set back.
    const at = Math.max(clock.now(), (waiting?.at ?? self.moved) + 1)
    const change = newChange(manifestToId(manifest), { kind: 'move', at, until, key: signer.key, addresses: here })
    say({ kind: 'change', change: encodeChange(signChange(change, signer)) })
  }

  host.gossip.onMessage((bytes) => pool.offer(bytes))
  host.gossip.onPeer((key) => {
    beat.beat()
    council.meet(key)
  })
  // Presences come often and change little; everything else may be what a round waits for.
  pool.onNews((kind) => {
    if (kind !== 'presence' || rosters.newest === undefined) council.nudge()
    if (kind === 'evidence') host.gossip.admit(isPeer)
  })
  rosters.onAdd(() => {
    host.gossip.admit(isPeer)
    beat.beatLater()
    move()
  })

  return {
    peers,
    rosters,
    pool,
    voter,
    async start() {
      const service = { peers, rosters, clock, body: council.body, messages: pool.messages, submit: submitBytes }
      await host.serve(ROSTER_PROTOCOL, rosterService(service))
      host.gossip.admit(isPeer)
      links.start()
      beat.start()
      move()
      await council.start()
    },
    async stop() {
      links.stop()
      beat.stop()
      await council.stop()
    },
    isPeer: () => isPeer(host.key),
    submit(change) {
      if (rosters.newest !== undefined && !hasRoomFor(rosters.newest, change.change)) {
        throw invalidChange('the federation is full: somebody leaves first, or its operators agree on fewer shards')
      }
      const bytes = encodeGossip({ kind: 'change', change: encodeChange(change) })
      if (!submitBytes(bytes)) {
        throw invalidChange('the federation has it already, or it is signed by nobody it knows')
      }
    },
    accuse: (evidence) => say({ kind: 'evidence', evidence: encodeEvidence(evidence) }),
    say,
    status() {
      const operators = (rosters.newest?.roster ?? { operators: manifest.operators }).operators
      const linked = links.state()
      const sinceMs = beat.sinceMs()
      return {
        isForked: rosters.isForked,
        due: council.due()?.height,
        peers: peers.others(host.key).map(({ key, operator, role }) => ({
          key,
          operator: operators[operator]?.name ?? '',
          role,
          isHere: (pool.presence(key)?.time ?? 0) >= sinceMs,
          linked: linked.some((link) => link.linked && equalBytes(link.key, key)),
        })),
        handovers: pool.handovers(),
      }
    },
  }
}

/** A directory serves one federation for life: votes and sheets of another must not be taken for this one's. */
export async function assertSameFederation(manifest: Manifest, records: Records): Promise<void> {
  const id = manifestToId(manifest)
  const known = await records.get('federation')
  if (known === undefined) await records.put('federation', id)
  else if (Buffer.compare(known, id) !== 0) {
    const reason = 'this directory belongs to another federation'
    throw new FederationError('MANIFEST_INVALID', `federation.json: founding: ${reason}`, { path: 'founding', reason })
  }
}

type Move = Change & { kind: 'move' }

/** Of the moves that a node said and no roster made yet, the one that counts. */
function lastMove(changes: readonly SignedChange[], key: Uint8Array): Move | undefined {
  const isOwn = (change: Change): change is Move => change.kind === 'move' && equalBytes(change.key, key)
  const own = changes.map(({ change }) => change).filter(isOwn)
  return own.sort((a, b) => b.at - a.at)[0]
}

function invalidChange(reason: string): FederationError<'CHANGE_INVALID'> {
  return new FederationError('CHANGE_INVALID', `change: ${reason}`, { reason })
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}
