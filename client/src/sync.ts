/**
 * All of a tracer that talks to the federation: one sync (rosters, salts, hashes, deposit, marks) and one erasure. DESIGN.md
 * §9. Loaded with the first sync, so that recording needs no rosters, no signatures and no libp2p. Every change of the
 * storage is one atomic batch, so that a sync may be cut anywhere and called again.
 */
import { type Fix, isFederationError } from '@geotrace/core-wasm'
import { assertManifest, DAY_MS, MINUTE_MS, type RosterChain, rosterChain } from '@geotrace/core-wasm/wire'
import { deposit } from './deposit/deposit.ts'
import { sendErasure } from './deposit/send-erasure.ts'
import { assertNotAborted, type Device } from './device/device.ts'
import { addTotals } from './device/totals.ts'
import type { Session } from './dialers/dialer.ts'
import { fixBlockEnd, isBeyondWindow, timeToFixBlock } from './diary/fix-block.ts'
import { drop, hash, lose, readWaiting } from './diary/fix-states.ts'
import { forgetBefore } from './diary/forget.ts'
import { fixesToPoints, type Hashed, hashFixes, pointsToSalts } from './salts/hashing.ts'
import { openRosters } from './salts/rosters.ts'
import { collectSalts } from './salts/salt-collector.ts'
import { emptyResult, type SyncResult } from './sync-result.ts'

/** The salt window less ten minutes for a slow network and a wrong clock. */
const SYNC_DUE_MS = 170 * MINUTE_MS

/** Throws PEER_UNREACHABLE, PEER_TIMEOUT, BUSY, QUOTA_SPENT … of the central peer, MANIFEST_INVALID, ABORTED. */
export async function runSync(device: Device, signal?: AbortSignal): Promise<SyncResult> {
  const result = emptyResult()
  const rosters = deviceRosters(device)
  assertNotAborted(signal)
  device.keeper.dropOld(device.clock.now())
  const fixes = await device.lock(() => takeClosed(device, result))
  return withSession(device, result, signal, async (session) => {
    device.progress({ phase: 'rosters', done: 0, of: 1 })
    await openRosters({ ...device, rosters, wire: session })
    const allowedAt = await hashClosed(device, session, rosters, fixes, result)
    assertNotAborted(signal)
    const started = device.now()
    await deposit(device, { session, manifest: device.manifest, newest: rosters.newest }, result, signal)
    result.spentMs.deposit = device.now() - started
    await device.lock(() => forgetOld(device))
    result.next = { allowedAt: Math.max(allowedAt, device.clock.now()), dueAt: await device.lock(() => toDue(device)) }
    return result
  })
}

/**
 * Brings the erasure that began on the device to the central peer. The session is used for nothing else, because the central
 * peer could link two users of one session. Throws what a sync throws, except errors of the rosters.
 */
export async function runErasure(device: Device, signal?: AbortSignal): Promise<void> {
  const rosters = deviceRosters(device)
  await withSession(device, { bytesUp: 0, bytesDown: 0 }, signal, async (session) => {
    try {
      await openRosters({ ...device, rosters, wire: session })
    } catch (error) {
      // Without news, and even after a fork, the newest roster that the device knows names the central peer.
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
    }
    await sendErasure(device, { session, manifest: device.manifest, newest: rosters.newest })
  })
}

/** Nothing goes out under a manifest that this process has not checked whole. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
function deviceRosters(device: Device): RosterChain {
  if (device.rosters === undefined) {
    if (!device.isManifestChecked) assertManifest(device.manifest)
    device.rosters = rosterChain(device.manifest)
  }
  return device.rosters
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

/** Fixes of closed blocks. Fixes that are too old are lost and fixes in a zone are dropped, in one batch. */
async function takeClosed({ storage, clock, redactor }: Device, result: SyncResult): Promise<Fix[]> {
  const nowMs = clock.now()
  const closed = (await readWaiting(storage)).filter((fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs)
  const lost = closed.filter((fix) => isBeyondWindow(fix.at, nowMs))
  const open = closed.filter((fix) => !lost.includes(fix))
  const dropped = open.filter((fix) => redactor.toDecision(fix, nowMs) === 'drop')
  result.fixesLost = lost.length
  result.fixesRedacted = dropped.length
  if (lost.length + dropped.length > 0) {
    const gone = [
      ...lost.map((fix) => lose(storage, timeToFixBlock(fix.at))),
      ...dropped.map((fix) => drop(storage, timeToFixBlock(fix.at))),
    ]
    const totals = await addTotals(storage, { fixesLost: lost.length })
    await storage.batch([...(await Promise.all(gone)).flat(), totals])
  }
  return open.filter((fix) => !dropped.includes(fix))
}

/** Hashes the fixes whose salts it can get. Unix ms from which the rest may be tried again. */
async function hashClosed(
  device: Device,
  session: Session,
  chain: RosterChain,
  fixes: readonly Fix[],
  result: SyncResult,
): Promise<number> {
  if (fixes.length === 0) return 0
  const started = device.now()
  const points = fixesToPoints(device.core, fixes, chain.all)
  const allowedAt = await collectSalts({ ...device, session, result }, pointsToSalts(points))
  const hashing = device.now()
  result.spentMs.salt = hashing - started
  const done = hashFixes(device.core, points, chain.all, device.keeper)
  result.fixesDeferred = fixes.length - done.hashed.length
  if (done.hashed.length === 0) return allowedAt
  device.progress({ phase: 'hashes', done: 0, of: done.hashed.length })
  result.fixesHashed = await device.lock(() => storeHashed(device, done))
  result.spentMs.hash = device.now() - hashing
  result.points = done.points
  return allowedAt
}

/** The number of fixes that became hashed. Fixes that changed meanwhile keep waiting. */
async function storeHashed({ storage }: Device, { hashed }: Hashed): Promise<number> {
  const stored = (await Promise.all(hashed.map((link) => hash(storage, link)))).filter((item) => item !== undefined)
  if (stored.length > 0) await storage.batch(stored.flat())
  return stored.length
}

async function forgetOld({ storage, clock, manifest, redactor }: Device): Promise<void> {
  const nowMs = clock.now()
  await forgetBefore(storage, nowMs - manifest.parameters.retentionDays * DAY_MS)
  await redactor.forgetBefore(nowMs)
}

/** The oldest waiting fix decides: ten minutes before its salts are gone. */
async function toDue({ storage }: Device): Promise<number | undefined> {
  const [oldest] = await readWaiting(storage)
  return oldest === undefined ? undefined : oldest.at + SYNC_DUE_MS
}
