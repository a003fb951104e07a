/**
 * Answers the syncs that sealed frames carry. PROTOCOL.md §7.2. A deposit is durable before the reply acknowledges it. A repeated sync
 * changes nothing and gets the same reply. All replies have the same size, and none waits for a computation of marks.
 * Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, SYNC_CONFLICT, CLOCK_SKEWED, QUOTA_SPENT, BUSY, ROSTER_UNKNOWN.
 */
import { createHash } from 'node:crypto'
import { type Clock, type Random, turns } from '@geotrace/core-wasm'
import {
  byteReader,
  bytesToHex,
  decodeSyncFrame,
  encodeSyncReply,
  FederationError,
  type Manifest,
  marksPerReply,
  type Pin,
  type RefusedGroup,
  type SyncReply,
  syncContent,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { SpreadTable } from '../../membership/spread-table.ts'
import type { CodeRegistry } from '../codes/codes.ts'
import type { CentralConfig } from '../config.ts'
import { isAhead, pageMarks } from '../risk/mark-list.ts'
import type { RiskEngine } from '../risk/risk-engine.ts'
import type { CentralStore, ReportRecord, User } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'
import type { StoreRoom } from '../store-room.ts'
import { type DepositCounters, deposits, type IdentifiedSync } from './deposits.ts'
import { recentErasures } from './erasures.ts'
import { newUserBounds } from './new-users.ts'
import { retract } from './own-reports.ts'
import type { RosterPins } from './pins.ts'
import { assertRecentMinute } from './recent-minute.ts'
import type { ReplyBasis } from './reply-basis.ts'
import { underWay } from './under-way.ts'

const BUSY_MS = 2_000

export interface SyncCounters extends DepositCounters {
  syncs: number
  erasures: number
}
export interface SyncService {
  /** `relay`: the key of the member that passed the sync on. */
  answer(request: Uint8Array, relay: Uint8Array): Promise<Uint8Array>
  readonly counters: Readonly<SyncCounters>
  /** Syncs that are being answered. */
  readonly inFlight: number
  /** Resolves when no sync is being answered. */
  idle(): Promise<void>
}
interface SyncServiceInit {
  manifest: Manifest
  config: CentralConfig
  store: CentralStore
  rosters: Pick<RosterStore, 'newest' | 'inForce'>
  pins: RosterPins
  /** False after the start until this peer has caught up with others, and before it stops. */
  isReady(): boolean
  spreads: Pick<SpreadTable, 'ruleOf'>
  codes: CodeRegistry
  risk: RiskEngine
  clock: Clock
  random: Random
  retentionStart(): number
  room: StoreRoom
}

/** A request whose secret was replaced by the id that derives from it. */
interface Sync extends IdentifiedSync {
  readonly id: Uint8Array
}

export function syncService(init: SyncServiceInit): SyncService {
  const { manifest, config, store, rosters, pins, isReady, risk, clock, random, room } = init
  const { syncRequestBytes, syncReplyBytes } = manifest.parameters
  const perUser = turns<string>(1)
  const newUsers = newUserBounds({ store, clock, perRelay: config.newUsersPerRelay })
  const erasures = recentErasures({ clock, store })
  const counters: SyncCounters = { syncs: 0, duplicates: 0, groupsRefused: 0, reports: 0, erasures: 0 }
  const deposit = deposits({ ...init, counters, perDay: config.depositsPerDay })
  const syncs = underWay(config.inFlight, BUSY_MS)

  const answer = async (sync: Sync, relay: Uint8Array): Promise<SyncReply> => {
    if (sync.report.kind === 'erase') return await erase(sync)
    const isEmpty = changesNothing(sync)
    const known = await store.findUser(sync.id)
    if (known === undefined) await erasures.assertNone(sync.id)
    if (known === undefined && isEmpty) return toReply({ report: 'none', refused: [] })
    const user = known ?? (await addUser(sync, relay))
    const { report, refused } = isEmpty ? NOTHING : await deposit(user, sync)
    const basis = { report: sync.report.kind === 'none' ? risk.standing(user) : report, refused }
    // No reply waits for marks, so the time of a reply does not depend on who reported or what is computed.
    return await withMarks(user, sync, basis)
  }

  const addUser = async ({ id }: Sync, relay: Uint8Array): Promise<User> => {
    if (rosters.newest === undefined) throw new FederationError('ROSTER_UNKNOWN', 'no certified roster: sync later')
    await room.assertForNewUser()
    await newUsers.admit(relay)
    // Begin at a random generation, so that a device that returns after an erasure does not take the new list for the old.
    return await store.addUser(id, 1 + (byteReader(random(4)).u32() >>> 2), timeToDay(clock.now()))
  }

  const withMarks = async (user: User, sync: Sync, basis: ReplyBasis): Promise<SyncReply> => {
    let list = await store.marks(user)
    if (list !== undefined && isAhead(list, sync)) list = await risk.renew(user)
    if (list === undefined) return toReply(basis)
    const reply = toReply(basis)
    const max =
      risk.reportsOf(user).length > 0 ? 0 : marksPerReply(syncReplyBytes, reply.refused.length, reply.pins.length)
    const page = pageMarks(list, sync, max)
    return { ...reply, ...page, left: max === 0 ? 0 : page.left, marks: [...page.marks] }
  }

  const erase = async ({ id, report }: Sync): Promise<SyncReply> => {
    // On a full disk the ballast makes room for the deletion.
    await room.look()
    const user = await store.findUser(id)
    await erasures.note(id, user !== undefined)
    await risk.refresh()
    const isWarningKept = report.kind === 'erase' && report.keepWarning
    const own = (): ReportRecord[] => (user === undefined || isWarningKept ? [] : risk.reportsOf(user).map(retract))
    if (await risk.inTurn(user ?? 0, () => eraseWith(init, id, own()))) counters.erasures++
    return toReply(NOTHING)
  }

  const toReply = ({ report, refused }: ReplyBasis): SyncReply => {
    const head = { report, refused: [...refused], pins: toPins(refused, pins, syncReplyBytes) }
    return { ...head, time: clock.now(), generation: 0, cursor: 0, left: 0, marks: [] }
  }

  return {
    counters,
    get inFlight() {
      return syncs.count
    },
    idle: syncs.idle,
    answer: (bytes, relay) =>
      syncs.run(async () => {
        assertReady(isReady())
        const sync = toSync(bytes, syncRequestBytes, clock.now())
        const reply = await perUser.run(bytesToHex(sync.id), () => answer(sync, relay))
        counters.syncs++
        return encodeSyncReply(reply, syncReplyBytes)
      }),
  }
}

function assertReady(isReady: boolean): void {
  if (isReady) return
  const reason = 'the central peer has just started, or is about to stop: sync again'
  throw new FederationError('BUSY', reason, { retryAfterMs: BUSY_MS })
}

/** False when the user is unknown. */
async function eraseWith(
  { store, risk, clock }: SyncServiceInit,
  id: Uint8Array,
  own: readonly ReportRecord[],
): Promise<boolean> {
  // The reports before the user, so that a crash between the two leaves no report that nobody can withdraw.
  for (const record of own) await store.putReport(record)
  const isErased = await store.eraseUser(id, timeToDay(clock.now()))
  for (const record of own) risk.add(record)
  return isErased
}

/**
 * The pins by which a device believes that its roster was refused: of the newest epochs first, because their fixes can
 * still be salted again. One mark always fits beside them. A device gets the others from salt nodes.
 */
function toPins(refused: readonly RefusedGroup[], pins: RosterPins, replyBytes: number): Pin[] {
  const found = refused.flatMap(({ epoch, reason }) => (reason === 'roster' ? (pins.of(epoch) ?? []) : []))
  const isFitting = (count: number): boolean => marksPerReply(replyBytes, refused.length, count) >= 1
  let count = found.length
  while (count > 0 && !isFitting(count)) count--
  return found.sort((a, b) => b.epoch - a.epoch).slice(0, count)
}

/**
 * Otherwise a relay could keep a frame and bring a user back whom an erasure removed. A device without a proof of the time
 * asks for it by a sync that changes nothing.
 */
function assertRecent(sync: Pick<Sync, 'minute' | 'report' | 'groups'>, nowMs: number): void {
  if (sync.minute !== 0 || !changesNothing(sync)) assertRecentMinute(sync.minute, nowMs)
}

function changesNothing({ report, groups }: Pick<Sync, 'report' | 'groups'>): boolean {
  return report.kind === 'none' && groups.length === 0
}

const NOTHING: ReplyBasis = { report: 'none', refused: [] }

function toSync(bytes: Uint8Array, classes: readonly number[], nowMs: number): Sync {
  const { userSecret, ...request } = decodeSyncFrame(bytes, classes)
  assertRecent(request, nowMs)
  const id = new Uint8Array(createHash('sha256').update(userSecret).digest())
  userSecret.fill(0)
  const digest = createHash('sha256').update(syncContent(bytes)).digest()
  return { ...request, id, digest: new Uint8Array(digest) }
}
