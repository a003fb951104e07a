/**
 * One sync: lost fixes, rosters, salts, hashes, deposit, marks. DESIGN.md §9. Every change of the storage is one atomic
 * batch, so that it may be cut anywhere and called again.
 */
import type { Fix } from '@geotrace/core-wasm'
import { type CertifiedRoster, MINUTE_MS, type RosterChain } from '@geotrace/core-wasm/wire'
import { deposit } from './deposit/deposit.ts'
import { forgetOld } from './deposit/forget.ts'
import { storeHashed } from './deposit/outbox.ts'
import { assertNotAborted, type Device, toDecision } from './device/device.ts'
import { addTotals } from './device/totals.ts'
import { countingWire, type Wire } from './dialers/wire-session.ts'
import { dropFix, fixBlockEnd, isBeyondWindow, loseFix, readWaiting, timeToFixBlock } from './diary/diary.ts'
import { type FixSalts, fixesToSalts, hashFixes } from './salts/hashing.ts'
import { planRequests, type WantedSalt } from './salts/plan.ts'
import { openRosters } from './salts/rosters.ts'
import { type Asked, requestSalts } from './salts/salt-request.ts'
import { emptyResult, type SyncResult } from './sync-result.ts'

/** A node's clock may run this far ahead: fixes so close to the edge are asked for apart, lest they spoil the rest. */
const EDGE_MS = MINUTE_MS
/** The salt window less ten minutes for a slow network and a clock that is off. */
const SYNC_DUE_MS = 170 * MINUTE_MS

/** Throws PEER_UNREACHABLE, PEER_TIMEOUT, BUSY, QUOTA_SPENT … of the central peer, ABORTED; nothing is lost by it. */
export async function runSync(device: Device, chain: RosterChain, signal?: AbortSignal): Promise<SyncResult> {
  const result = emptyResult()
  assertNotAborted(signal)
  device.keeper.dropOld(device.clock.now())
  const fixes = await device.lock(() => takeClosed(device, result))
  const session = await device.dialer.open()
  try {
    const wire = countingWire(session, result, signal)
    device.progress({ phase: 'rosters', done: 0, of: 1 })
    const rosters = await openRosters({ ...device, rosters: chain, wire })
    const allowedAt = await hashClosed(device, wire, rosters, fixes, result)
    assertNotAborted(signal)
    const started = device.now()
    await deposit(device, wire, rosters, result, signal)
    result.spentMs.deposit = device.now() - started
    await device.lock(() => forgetOld(device))
    result.next = { allowedAt: Math.max(allowedAt, device.clock.now()), dueAt: await device.lock(() => toDue(device)) }
    return result
  } finally {
    await session.close()
  }
}

/** Fixes of closed blocks; the too old ones are lost and those in a zone dropped, in one batch. */
async function takeClosed(device: Device, result: SyncResult): Promise<Fix[]> {
  const { storage, clock } = device
  const nowMs = clock.now()
  const verdict = toDecision(device, nowMs)
  const closed = (await readWaiting(storage)).filter((fix) => fixBlockEnd(timeToFixBlock(fix.at)) <= nowMs)
  const lost = closed.filter((fix) => isBeyondWindow(fix.at, nowMs))
  const open = closed.filter((fix) => !lost.includes(fix))
  const dropped = open.filter((fix) => verdict(fix) === 'drop')
  result.fixesLost = lost.length
  result.fixesRedacted = dropped.length
  if (lost.length + dropped.length > 0) {
    const totals = await addTotals(storage, { fixesLost: lost.length })
    await storage.batch([...lost.map(loseFix), ...dropped.flatMap(dropFix), totals])
  }
  return open.filter((fix) => !dropped.includes(fix))
}

/** Hashes what it can; when the rest may be tried again. */
async function hashClosed(
  device: Device,
  wire: Wire,
  rosters: readonly CertifiedRoster[],
  fixes: readonly Fix[],
  result: SyncResult,
): Promise<number> {
  if (fixes.length === 0) return 0
  const started = device.now()
  const needs = fixesToSalts(device.core, fixes, rosters)
  const allowedAt = await collectSalts(device, wire, needs, result)
  result.spentMs.salt = device.now() - started
  const isComplete = ({ wanted }: FixSalts) =>
    wanted.every((salt) => salt !== undefined && device.keeper.get(salt.name) !== undefined)
  const complete = needs.filter(isComplete).map(({ fix }) => fix)
  result.fixesDeferred = fixes.length - complete.length
  if (complete.length === 0) return allowedAt
  device.progress({ phase: 'hashes', done: 0, of: complete.length })
  const hashing = device.now()
  const { hashed, points } = hashFixes(device.core, complete, rosters, device.keeper)
  const stored = await device.lock(() => storeHashed(device.storage, hashed))
  result.spentMs.hash = device.now() - hashing
  result.points = points
  result.fixesHashed = stored.length
  return allowedAt
}

/** Asks for every salt that is not in memory, all requests of a round at once; when the rest may be asked for. */
async function collectSalts(
  device: Device,
  wire: Wire,
  needs: readonly FixSalts[],
  result: SyncResult,
): Promise<number> {
  const progress = { phase: 'salts' as const, done: 0, of: 0 }
  let allowedAt = 0
  const nowMs = device.clock.now()
  const isEdge = ({ fix }: FixSalts) => isBeyondWindow(fix.at, nowMs + EDGE_MS)
  const offsets: number[] = []
  const reused = new Set<string>()
  const fresh = new Set<string>()
  for (const round of [needs.filter((need) => !isEdge(need)), needs.filter(isEdge)]) {
    const wanted = round.flatMap((need) => (need.wanted.includes(undefined) ? [] : (need.wanted as WantedSalt[])))
    const missing = wanted.filter((salt) => device.keeper.get(salt.name) === undefined)
    for (const { name } of wanted) if (device.keeper.get(name) !== undefined && !fresh.has(name)) reused.add(name)
    const plan = planRequests(missing)
    progress.of += plan.length
    device.progress({ ...progress })
    const answers = await Promise.all(
      plan.map(async (request) => {
        const answer = await requestSalts(request, { ...device, wire })
        progress.done++
        device.progress({ ...progress })
        return answer
      }),
    )
    for (const [i, answer] of answers.entries()) {
      countAnswer(answer, result)
      answer.salts?.forEach((salt, k) => {
        const block = plan[i]!.blocks[k]!
        device.keeper.keep(block, salt)
        fresh.add(block.name)
      })
      if (answer.salts === undefined && answer.retryAfterMs !== undefined) {
        allowedAt = Math.max(allowedAt, nowMs + answer.retryAfterMs)
      }
      if (answer.time !== undefined) offsets.push(answer.time - nowMs)
    }
  }
  result.saltsReused = reused.size
  result.clockOffsetMs = offsets.sort((a, b) => a - b)[Math.floor(offsets.length / 2)]
  return allowedAt
}

/** The oldest fix that waits decides: ten minutes before its salts are gone. */
async function toDue({ storage }: Device): Promise<number | undefined> {
  const [oldest] = await readWaiting(storage)
  return oldest === undefined ? undefined : oldest.at + SYNC_DUE_MS
}

function countAnswer({ salts, requests, lies }: Asked, result: SyncResult): void {
  result.saltRequests += requests
  result.nodesLied += lies
  result.saltsAsked += salts?.length ?? 0
}
