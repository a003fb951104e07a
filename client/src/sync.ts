/**
 * All of a tracer that talks to the federation: one sync (rosters, salts, hashes, deposit, marks) and one erasure. DESIGN.md
 * §9. Loaded with the first sync, so that recording needs no rosters, no signatures and no libp2p. Every change of the
 * storage is one atomic batch, so that a sync may be cut anywhere and called again.
 */
import { FederationError, type Fix, isFederationError } from '@geotrace/core-wasm'
import {
  assertManifest,
  EpochPins,
  MINUTE_MS,
  manifestToId,
  oldestOpenEpoch,
  type PeerAddress,
  peerIdToKey,
  type ReportStatus,
  type RosterChain,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import { CLOCK_OFF_MS, proofToOffset } from './clock/proved-time.ts'
import { SyncTime } from './clock/sync-time.ts'
import { deposit } from './deposit/deposit.ts'
import { followPins, toPinsFrom } from './deposit/follow-pins.ts'
import { Relays } from './deposit/relays.ts'
import type { CentralRoute } from './deposit/send.ts'
import { sendErasure } from './deposit/send-erasure.ts'
import { assertNotAborted, type Device } from './device/device.ts'
import { forgetOld } from './device/forget.ts'
import { putLastSync } from './device/last-sync.ts'
import { addTotals } from './device/totals.ts'
import type { Session } from './dialers/dialer.ts'
import { fixBlockEnd, isBeyondWindow, timeToFixBlock } from './diary/fix-block.ts'
import { drop, hash, lose, readWaiting } from './diary/fix-states.ts'
import type { ErasableTurns } from './erasable-turns.ts'
import { submitEvidence, submitPin } from './salts/evidence.ts'
import { fixesToPoints, type Hashed, hashFixes, pointsToSecrets } from './salts/hashing.ts'
import { PinNews } from './salts/pin-news.ts'
import { storePins } from './salts/pin-record.ts'
import { plainSalting } from './salts/plain-salting.ts'
import { compareRosters, openRosters, toRosterOf } from './salts/rosters.ts'
import { collectSalts } from './salts/salt-collector.ts'
import type { ClientSalting, RosterOf } from './salts/salting.ts'
import { askSpreadKeys } from './spread/ask-keys.ts'
import { encodeRecord, KEYS } from './storage/key-layout.ts'
import { put, type StorageOperation } from './storage/storage.ts'
import { emptyResult, type SyncResult } from './sync-result.ts'
import { type TokenControl, tokenControl } from './tokens/control.ts'
import { Wallet } from './tokens/wallet.ts'

/** The salt window less ten minutes for a slow network and a wrong clock. */
const SYNC_DUE_MS = 170 * MINUTE_MS
/** One by the device's clock, one by the nodes' times, one by the central peer's, which may also salt fixes again. */
const PASSES_MAX = 3
/** Pins that one sync passes on. A reply refuses more epochs only after hours under another roster. */
const PINS_PASSED_MAX = 4

/** TOO_MANY_ATTEMPTS carries no time on the wire. After an hour the central peer's count has decayed. */
const ATTEMPT_AGAIN_MS = 60 * 60_000

/** The rosters and pins that this process knows. */
interface Known {
  readonly rosters: RosterChain
  readonly pins: EpochPins
}

/** The values that the steps of one sync share. */
interface Way extends Known {
  readonly session: Session
  readonly news: PinNews
  readonly rosterOf: RosterOf
  readonly time: SyncTime
  readonly route: CentralRoute
  /** Salt nodes that do not know a roster that this sync uses. */
  readonly strangers: Set<PeerAddress>
  /** Compares the rosters of this device with theirs. Throws ROSTER_FORKED. */
  compare(): Promise<void>
}

/** Throws PEER_UNREACHABLE, PEER_TIMEOUT, BUSY, QUOTA_SPENT … of the central peer, MANIFEST_INVALID, ABORTED. */
export async function runSync(device: Device, signal?: AbortSignal): Promise<SyncResult> {
  const result = emptyResult()
  const known = deviceRosters(device)
  assertNotAborted(signal)
  const time = new SyncTime(device.clock)
  device.keeper.dropOld(device.clock.now())
  return withSession(device, result, signal, async (session) => {
    device.progress({ phase: 'rosters', done: 0, of: 1 })
    const news = new PinNews(known.pins)
    const pinsFrom = await toPinsFrom(device, known.pins)
    const init = { ...device, ...known, news, pinsFrom, wire: session }
    const renew = () => openRosters(init)
    await renew()
    await askSpreadKeys(device, session, known.rosters)
    const route = await toRoute(device, known, session, renew)
    const rosterOf = toRosterOf(known.rosters, known.pins)
    const strangers = new Set<PeerAddress>()
    const compare = () => compareRosters(init, strangers)
    const way = { ...known, session, time, news, route, rosterOf, strangers, compare }
    await passPinsOn(device, way, result)
    // Also after a failure, because a process learns of a contradiction only once.
    const passes = runPasses(device, way, result, signal)
    const allowedAt = await passes.finally(() => passPinsOn(device, way, result))
    result.relayShared = route.relays.isShared
    await device.lock(() => settleByProvedTime(device, time, result))
    result.next = { allowedAt: Math.max(allowedAt, device.clock.now()), dueAt: await device.lock(() => toDue(device)) }
    return result
  })
}

/** Keeps the pins. Sends members the proof that the central peer contradicted itself, else the pins that only it gave. */
async function passPinsOn(device: Device, { session, rosters, pins, news }: Way, result: SyncResult): Promise<void> {
  await storePins(device.storage, pins)
  const { contradictions, fromCentral } = news.drain()
  result.pinsContradicted += contradictions.length
  const [evidence] = contradictions
  if (rosters.newest === undefined) return
  const sender = { ...device, session }
  // One proof is enough for the members, because they keep one against a peer.
  if (evidence !== undefined) await submitEvidence(sender, rosters.newest, evidence)
  else for (const pin of fromCentral.slice(-PINS_PASSED_MAX)) await submitPin(sender, rosters.newest, pin)
}

/**
 * Salts and deposits; again when peers show that the clock is off, or when fixes are to be salted again. A pass by a wrong
 * time does no harm, because no pass deletes, and none deposits rows before a peer sent its time. Unix ms from which
 * missing salts may be asked for again.
 */
async function runPasses(
  device: Device,
  way: Way,
  result: SyncResult,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { route, time } = way
  let allowedAt = 0
  for (let pass = 1; pass <= PASSES_MAX; pass++) {
    const provedMs = device.clock.proof?.atLeastMs ?? 0
    await device.lock(() => followPins(device, { ...way, nowMs: device.clock.now(), provedMs }, result))
    const againBefore = result.fixesAgain
    const fixes = await device.lock(() => takeClosed(device, result))
    allowedAt = await hashClosed(device, way, fixes, result)
    assertNotAborted(signal)
    if (time.prove() && pass < PASSES_MAX) continue
    const started = device.now()
    const isMoved = await deposit(device, { route, time, knowledge: way, news: way.news }, result, signal)
    result.spentMs.deposit += device.now() - started
    if (!isMoved && result.fixesAgain === againBefore) break
  }
  return allowedAt
}

/**
 * Brings the erasure that began on the device to the central peer. The session is used for nothing else, because the relay
 * could link two users of one session. Throws what a sync throws, except errors of the rosters.
 */
export function runErasure(device: Device, signal?: AbortSignal): Promise<void> {
  return withCentral(device, signal, (route) => sendErasure(device, route))
}

/** The tokens of the device. */
export function openTokens(device: Device, turns: ErasableTurns): TokenControl {
  return tokenControl(device, turns, (signal, task) => withCentral(device, signal, task))
}

/** A session that carries one task for the central peer, and nothing else. Throws what a sync throws, except errors of rosters. */
async function withCentral(
  device: Device,
  signal: AbortSignal | undefined,
  task: (route: CentralRoute) => Promise<void>,
): Promise<void> {
  const known = deviceRosters(device)
  await withSession(device, { bytesUp: 0, bytesDown: 0 }, signal, async (session) => {
    const rest = { news: new PinNews(known.pins), pinsFrom: oldestOpenEpoch(device.clock.now()), wire: session }
    const renew = () => openRosters({ ...device, ...known, ...rest })
    try {
      await renew()
    } catch (error) {
      // Without news, and even after a fork, the newest roster that the device knows names the central peer.
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
    }
    await task(await toRoute(device, known, session, renew))
  })
}

async function toRoute(
  device: Device,
  { rosters }: Known,
  session: Session,
  renew: () => Promise<void>,
): Promise<CentralRoute> {
  const { manifest, clock, random } = device
  const wallet = await openWallet(device, { rosters })
  const relays = new Relays({ ...device, rosters, tokens: wallet?.relays(clock.now()) })
  return { session, manifest, rosters, clock, random, renew, relays }
}

/** The salting of the manifest. The group of `threshold` comes only where it is used. */
async function deviceSalting(device: Device): Promise<ClientSalting> {
  const { salting, evaluations } = device.manifest.parameters
  if (salting === 'plain') return plainSalting
  const { thresholdSalting } = await import('./salts/threshold-salting.ts')
  const known = device.salting ?? (await thresholdSalting(evaluations))
  device.salting = known
  return known
}

/** Nothing goes out under a manifest that this process has not checked whole. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
function deviceRosters(device: Device): Known {
  const { manifest } = device
  if (device.rosters === undefined && !device.isManifestChecked) assertManifest(manifest)
  device.rosters ??= rosterChain(manifest)
  device.pins ??= new EpochPins(manifestToId(manifest), peerIdToKey(manifest.central.peerId))
  return { rosters: device.rosters, pins: device.pins }
}

/** A session that counts bytes and passes the caller's signal on; closed at the end in any case. */
async function withSession<T>(
  { dialer }: Device,
  traffic: { bytesUp: number; bytesDown: number },
  signal: AbortSignal | undefined,
  task: (session: Session) => Promise<T>,
): Promise<T> {
  const inner = await dialer.open()
  try {
    return await task({
      async request(peer, protocol, frame) {
        traffic.bytesUp += frame.length
        const reply = await inner.request(peer, protocol, frame, { signal })
        traffic.bytesDown += reply.length
        return reply
      },
      close: () => inner.close(),
    })
  } finally {
    await inner.close()
  }
}

/** Fixes of closed blocks whose salts can be had. Fixes in a zone are dropped. */
async function takeClosed({ storage, clock, redactor }: Device, result: SyncResult): Promise<Fix[]> {
  const nowMs = clock.now()
  const open = (await readWaiting(storage)).filter(
    (fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs && !isBeyondWindow(fix.at, nowMs),
  )
  const dropped = open.filter((fix) => redactor.toDecision(fix, nowMs) === 'drop')
  result.fixesRedacted += dropped.length
  if (dropped.length > 0) {
    const gone = await Promise.all(dropped.map((fix) => drop(storage, timeToFixBlock(fix.at))))
    await storage.batch(gone.flat())
  }
  return open.filter((fix) => !dropped.includes(fix))
}

/** The lasting decisions of a sync, by the time that two clocks prove. Without a proof there is none. */
async function settleByProvedTime(device: Device, { proof }: SyncTime, result: SyncResult): Promise<void> {
  const { storage } = device
  const operations: StorageOperation[] = []
  if (proof !== undefined) {
    const waiting = await readWaiting(storage)
    const lost = waiting.filter((fix) => isBeyondWindow(fix.at, proof.atLeastMs))
    const ahead = waiting.filter((fix) => fix.at > proof.atMostMs + CLOCK_OFF_MS)
    const gone = [
      ...lost.map((fix) => lose(storage, timeToFixBlock(fix.at))),
      ...ahead.map((fix) => drop(storage, timeToFixBlock(fix.at))),
    ]
    result.fixesLost = lost.length
    result.fixesAhead = ahead.length
    operations.push(...(await Promise.all(gone)).flat(), put(KEYS.proof, encodeRecord(proof)))
    if (gone.length > 0) operations.push(await addTotals(storage, { fixesLost: lost.length, fixesAhead: ahead.length }))
    result.clockOffsetMs = proof.federationMs - proof.deviceMs
    result.isClockOff = proofToOffset(proof) !== 0
  }
  operations.push(await putLastSync(storage, device.clock.now(), result))
  await storage.batch(operations)
  await forgetOld(device)
}

/** Hashes the fixes whose salts it can get. Unix ms from which the rest may be tried again. */
async function hashClosed(
  device: Device,
  { session, rosterOf, time, route, strangers, compare }: Way,
  fixes: readonly Fix[],
  result: SyncResult,
): Promise<number> {
  result.fixesDeferred = 0
  if (fixes.length === 0) return 0
  const started = device.now()
  const salting = await deviceSalting(device)
  const points = fixesToPoints(device.core, fixes, rosterOf, salting)
  const wallet = await openWallet(device, route)
  const allowedAt = await collectSalts(
    { ...device, salting, session, time, result, strangers, wallet, relays: route.relays },
    pointsToSecrets(points),
  )
  if (wallet !== undefined) await device.lock(() => device.storage.batch(wallet.changes(device.clock.now())))
  await compare()
  const hashing = device.now()
  result.spentMs.salt += hashing - started
  const done = hashFixes(device.core, points, rosterOf, device.keeper)
  result.fixesDeferred = fixes.length - done.hashed.length
  if (done.hashed.length === 0) return allowedAt
  device.progress({ phase: 'hashes', done: 0, of: done.hashed.length })
  result.fixesHashed += await device.lock(() => storeHashed(device, done))
  result.spentMs.hash += device.now() - hashing
  result.points += done.points
  return allowedAt
}

/** The tokens of this device; undefined in a federation without tokens. */
async function openWallet(
  { storage }: Device,
  { rosters }: Pick<CentralRoute, 'rosters'>,
): Promise<Wallet | undefined> {
  return rosters.newest?.roster.tokens && (await Wallet.open(storage))
}

/** The number of fixes that became hashed. Fixes that changed meanwhile keep waiting. */
async function storeHashed({ storage }: Device, { hashed }: Hashed): Promise<number> {
  const stored = (await Promise.all(hashed.map((link) => hash(storage, link)))).filter((item) => item !== undefined)
  if (stored.length > 0) await storage.batch(stored.flat())
  return stored.length
}

/** The oldest waiting fix decides: ten minutes before its salts are gone. */
async function toDue({ storage }: Device): Promise<number | undefined> {
  const [oldest] = await readWaiting(storage)
  return oldest === undefined ? undefined : oldest.at + SYNC_DUE_MS
}

/** Throws CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED, TOO_MANY_ATTEMPTS unless the central peer took the report code. */
export function assertAccepted(report: ReportStatus): void {
  switch (report) {
    case 'code-unknown':
      throw new FederationError('CODE_UNKNOWN', 'the central peer does not know this report code')
    case 'code-spent':
      throw new FederationError('CODE_SPENT', 'this report code was used before')
    case 'code-expired':
      throw new FederationError('CODE_EXPIRED', 'this report code is too old')
    case 'too-many-attempts':
      throw new FederationError('TOO_MANY_ATTEMPTS', 'too many report codes were tried; try again in an hour', {
        retryAfterMs: ATTEMPT_AGAIN_MS,
      })
  }
}
