/** Six real councils in memory: every operator of the test manifest, with gossip and requests as function calls. */
import { createHash } from 'node:crypto'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  type CertifiedRoster,
  effortSpan,
  encodeGossip,
  equalBytes,
  type GossipMessage,
  keyToShards,
  type Manifest,
  manifestToId,
  nextFirstEpoch,
  type Predecessor,
  type Roster,
  rosterToPredecessor,
  type SignedSheet,
  sheetContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import { createCatchUp } from '../../../src/membership/agreement/catch-up.ts'
import { type Council, createCouncil } from '../../../src/membership/agreement/council.ts'
import { createPool, type Pool } from '../../../src/membership/agreement/pool.ts'
import type { SheetSource } from '../../../src/membership/agreement/steps.ts'
import { createVoter } from '../../../src/membership/agreement/voter.ts'
import { livePeers } from '../../../src/membership/peers.ts'
import { rosterService } from '../../../src/membership/roster-service.ts'
import { openRosterStore, type RosterStore } from '../../../src/membership/roster-store.ts'
import type { Handler, Host } from '../../../src/net/protocol.ts'
import type { Records } from '../../../src/platform/file-records.ts'
import type { Log } from '../../../src/platform/log.ts'
import { founded, NAMES, operatorSigner, peerSigner } from '../chain.ts'

const EPOCHS = { shards: 2, periodEpochs: 1, reserveEpochs: 60 }
const verifier = evaluationVerifier(await loadGroup())
/** All turns of six proposers are over after this time. */
const TRIED_MS = 100_000

export interface Seat {
  readonly name: string
  /** Index among the operators of the founding roster. */
  readonly operator: number
  readonly rosters: RosterStore
  readonly pool: Pool
  readonly council: Council
  /** Events of the council's log. */
  readonly log: string[]
  /** Takes a message that came by gossip and passes it on when it is new. */
  receive(bytes: Uint8Array): void
}

export interface World {
  readonly manifest: Manifest
  readonly clock: SimulatedClock
  readonly first: CertifiedRoster
  readonly seats: readonly Seat[]
  predecessor(): Predecessor
  /** The first epoch of the period that is due next. */
  due(): number
  /** Runs the effort of the period that is due until all running councils have its roster or gave up; goes to its end. */
  livePeriod(): Promise<void>
  /** Delivers a message to these seats, or to all of them. */
  deliver(message: GossipMessage, to?: readonly Seat[]): void
  /** Proposals that the peers of silent operators hand out, by hash in hex. */
  readonly bodies: Map<string, CertifiedRoster>
  stop(): Promise<void>
}

/** `silent` operators have a seat, but their councils do not run. */
export async function councilWorld(silent: readonly string[] = []): Promise<World> {
  const { manifest, first } = founded(EPOCHS)
  const clock = simulatedClock(Date.parse('2026-11-21T12:00:00Z'))
  const bodies = new Map<string, CertifiedRoster>()
  const seats: Seat[] = []
  const handlers = new Map<string, Handler>()
  const isSilent = new Set(silent)
  // Gossip takes a moment, so that two messages sent to different peers at once cross each other.
  const gossip = (bytes: Uint8Array, from?: Seat): void =>
    void clock.setTimer(() => {
      for (const seat of seats) if (seat !== from) seat.receive(bytes)
    }, 100)
  for (const [operator, name] of NAMES.entries()) {
    const { seat, handler } = await takeSeat({
      manifest,
      first,
      clock,
      gossip,
      handlers,
      bodies,
      name,
      operator,
      isSilent,
    })
    seats.push(seat)
    handlers.set(hex(peerSigner(name).key), handler)
  }
  const [central] = seats.slice(-1) as [Seat]
  const running = seats.filter(({ name }) => !isSilent.has(name))
  const due = (): number => nextFirstEpoch(central.rosters.newest!.roster, clock.now())
  for (const seat of running) await seat.council.start()
  return {
    ...{ manifest, clock, first, seats, bodies, due },
    predecessor: () => rosterToPredecessor(central.rosters.newest!),
    async livePeriod() {
      const firstEpoch = due()
      const { from, to } = effortSpan(manifest.parameters.periodEpochs, firstEpoch)
      await clock.advanceTo(Math.max(from, clock.now()))
      const endMs = clock.now() + TRIED_MS
      const isDone = (): boolean => running.every(({ rosters }) => rosters.newest!.roster.firstEpoch === firstEpoch)
      while (clock.now() < endMs && !isDone()) await clock.advanceTo(clock.now() + 1_000)
      await clock.jumpTo(to)
    },
    deliver(message, to = seats) {
      for (const seat of to) seat.receive(encodeGossip(message))
    },
    async stop() {
      for (const seat of running) await seat.council.stop()
    },
  }
}

interface SeatInit {
  manifest: Manifest
  first: CertifiedRoster
  clock: SimulatedClock
  gossip(bytes: Uint8Array, from?: Seat): void
  handlers: Map<string, Handler>
  bodies: ReadonlyMap<string, CertifiedRoster>
  name: string
  operator: number
  isSilent: ReadonlySet<string>
}

async function takeSeat(init: SeatInit): Promise<{ seat: Seat; handler: Handler }> {
  const { manifest, first, clock, gossip, handlers, name, operator } = init
  const key = peerSigner(name).key
  const rosters = await openRosterStore(manifest, memoryRecords())
  await rosters.add(first)
  const peers = livePeers({
    manifest,
    newest: () => rosters.newest?.roster,
    addresses: () => [],
    isConvicted: (other) => pool.isConvicted(other),
    version: () => pool.version(),
  })
  const pool: Pool = createPool({
    ...{ manifest, rosters, clock, isPeer: peers.has, verifier },
    spread: (bytes) => gossip(bytes, seat),
  })
  const events: string[] = []
  const note = (event: string): void => void events.push(event)
  const log = { info: note, warn: note, error: note, debug: () => {} } as unknown as Log
  const host = {
    key,
    isLinked: () => true,
    request: async (peer: { key: Uint8Array }, _protocol: string, bytes: Uint8Array) =>
      await handlers.get(hex(peer.key))!(bytes, { key, address: 'memory' } as never),
  } as unknown as Host
  const say = (message: GossipMessage): void => {
    const bytes = encodeGossip(message)
    if (pool.offer(bytes) === 'accept') gossip(bytes, seat)
  }
  const signer = operatorSigner(name)
  const random = (length: number): Uint8Array => new Uint8Array(length)
  const catchUp = createCatchUp({ peers, host, rosters, pool, clock, random, log })
  const council = createCouncil({
    ...{ manifest, peers, host, rosters, pool, catchUp, clock, log, say },
    voter: createVoter(signer, signer.key, memoryRecords()),
    sheets: operator < NAMES.length - 1 ? sheetSource(name) : undefined,
  })
  pool.onNews(() => {
    if (!init.isSilent.has(name)) council.nudge()
  })
  const seat: Seat = {
    ...{ name, operator, rosters, pool, council, log: events },
    receive: (bytes) => {
      if (pool.offer(bytes) === 'accept') gossip(bytes, seat)
    },
  }
  const body = (hash: Uint8Array): CertifiedRoster | undefined =>
    council.body(hash) ?? (init.isSilent.has(name) ? init.bodies.get(hex(hash)) : undefined)
  const federation = manifestToId(manifest)
  const application = () => undefined
  const own = { federation, peers, rosters, clock, body, pins: pool.pins, messages: pool.messages, application }
  const service = { ...own, spreads: pool.spreads, presence: application, submit: () => false }
  return { seat, handler: rosterService(service) }
}

/** Signs a root for each of its shards, equal at every replica, without a seed. */
function sheetSource(name: string): SheetSource {
  const signer = peerSigner(name)
  const signed = new Map<number, SignedSheet[]>()
  return {
    async acquire(roster: Roster) {
      const { federation, previous, firstEpoch } = roster
      const sheets = keyToShards(roster, signer.key).map((shard) => {
        const root = new Uint8Array(createHash('sha256').update(`${shard} ${firstEpoch}`).digest())
        const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(roster), root })
        return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
      })
      signed.set(firstEpoch, sheets)
    },
    signed: (firstEpoch) => signed.get(firstEpoch) ?? [],
  }
}

export function memoryRecords(): Records {
  const values = new Map<string, Uint8Array>()
  return {
    get: async (name) => values.get(name),
    put: async (name, value) => void values.set(name, value),
    update: async (name, change) => void values.set(name, change(values.get(name))),
    remove: async (name) => void values.delete(name),
  }
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Whether two seats have the same roster of this height. */
export function haveSame(seats: readonly Seat[], height: number): boolean {
  const [one, ...rest] = seats.map(({ rosters }) => rosters.at(height)?.hash)
  return one !== undefined && rest.every((hash) => hash !== undefined && equalBytes(hash, one))
}
