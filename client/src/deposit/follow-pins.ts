/**
 * Moves hashed fixes after the pins that a sync brought, also fixes that are held and not deposited yet. PROTOCOL.md §4.11.
 * A pin is made about an epoch ahead, so a device that syncs hourly learns the pin while the salts are served.
 */
import { DEPOSIT_WINDOW_MS, oldestOpenEpoch, timeToEpoch } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { addTotals } from '../device/totals.ts'
import { readHashed } from '../diary/fix-states.ts'
import type { SyncResult } from '../sync-result.ts'
import type { Knowledge } from './acknowledge.ts'
import { type DepositedRows, readDeposited } from './deposited.ts'
import { type Fates, settleEntries } from './fates.ts'

/** Call with the device's lock held. */
export async function followPins(device: Device, knowledge: Knowledge, result: SyncResult): Promise<void> {
  const { storage } = device
  const epochs = new Set((await readHashed(storage)).flatMap(({ open }) => open))
  const deposited = new Map<number, DepositedRows>()
  for (const epoch of epochs) deposited.set(epoch, await readDeposited(storage, epoch))
  const operations: Parameters<typeof settleEntries>[2] = []
  const fates = await settleEntries(storage, { ...knowledge, groups: [], refused: new Map(), deposited }, operations)
  if (fates.rowsLost > 0) operations.push(await addTotals(storage, { rowsLost: fates.rowsLost }))
  if (operations.length > 0) await storage.batch(operations)
  addFates(result, fates)
}

/**
 * The epoch from which a sync asks for pins: the oldest that salt nodes serve. When an older fix lacks its pin, it is the
 * oldest that takes deposits. The exact epoch would show a peer how old that fix is.
 */
export async function toPinsFrom({ storage, clock }: Device, pins: Knowledge['pins']): Promise<number> {
  const nowMs = clock.now()
  const served = oldestOpenEpoch(nowMs)
  const open = (await readHashed(storage)).flatMap((entry) => entry.open)
  const isLacking = open.some((epoch) => epoch < served && pins.rostersOf(epoch).length === 0)
  return isLacking ? timeToEpoch(nowMs - DEPOSIT_WINDOW_MS) : served
}

export function addFates(result: SyncResult, { fixesAgain, rowsLost, rowsLostToRoster }: Fates): void {
  result.fixesAgain += fixesAgain
  result.rowsLost += rowsLost
  result.rowsLostToRoster += rowsLostToRoster
}
