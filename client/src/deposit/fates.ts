/**
 * Decides what becomes of the hashed fixes after a reply, and after news of pins. PROTOCOL.md §4.11, §7.2. A fix that was
 * hashed under another roster than the pinned one is salted again while salt nodes serve its salts; later its rows of that
 * epoch are lost. The device believes no refusal for its roster without the signed pin.
 */
import {
  type EpochPins,
  equalBytes,
  hashToRosterName,
  type RefusedGroup,
  type RowGroup,
} from '@geotrace/core-wasm/wire'
import { fixBlockEnd, isBeyondWindow } from '../diary/fix-block.ts'
import { type HashedEntry, readHashed, saltAgain, settle } from '../diary/fix-states.ts'
import type { RosterOf } from '../salts/salting.ts'
import type { Storage, StorageOperation } from '../storage/storage.ts'
import { type DepositedRows, isFirstRowDeposited, openRows } from './deposited.ts'

/** The facts by which a device decides. */
export interface Outcome {
  /** The groups that were sent; none when only pins came. */
  readonly groups: readonly RowGroup[]
  readonly refused: ReadonlyMap<number, RefusedGroup>
  /** The acknowledged rows of every epoch in question. */
  readonly deposited: ReadonlyMap<number, DepositedRows>
  readonly pins: Pick<EpochPins, 'rostersOf'>
  /** The roster under which an epoch is salted now. */
  readonly rosterOf: RosterOf
  /** The device's clock, for decisions that can be taken back. */
  readonly nowMs: number
  /** Two clocks say that it is so late. Only this loses rows. */
  readonly provedMs: number
}

export interface Fates {
  /** Fixes that are salted again. */
  fixesAgain: number
  /** Rows that are lost permanently, and those of them whose epoch is pinned to another roster. */
  rowsLost: number
  rowsLostToRoster: number
}

/** Moves every hashed fix to its next state. A hash is lost only when no fix is salted again for it. */
export async function settleEntries(
  storage: Storage,
  outcome: Outcome,
  operations: StorageOperation[],
): Promise<Fates> {
  const again = new Set<string>()
  const lost = new Map<string, Loss>()
  let fixesAgain = 0
  for (const entry of await readHashed(storage)) {
    const fate = toFate(entry, outcome)
    for (const [key, loss] of fate.lost) {
      if (fate.again) again.add(key)
      else lost.set(key, loss)
    }
    if (fate.again) {
      fixesAgain++
      operations.push(...(await saltAgain(storage, entry.block)))
    } else if (fate.open.length < entry.open.length) {
      const isDeposited = await isFirstRowDeposited(storage, entry, outcome.deposited)
      operations.push(...(await settle(storage, entry.block, fate.open, isDeposited)))
    }
  }
  const losses = [...lost].filter(([key]) => !again.has(key)).map(([, loss]) => loss)
  return { fixesAgain, rowsLost: losses.length, rowsLostToRoster: losses.filter((loss) => loss === 'roster').length }
}

/** `roster`: the epoch is pinned to another roster. `refused`: the central peer refused the rows for another reason. */
type Loss = 'roster' | 'refused'

interface Fate {
  /** Epochs that stay open. */
  open: number[]
  /** Hashes (hex) that the central peer will never take. */
  lost: Map<string, Loss>
  /** The whole fix is to be salted again. */
  again: boolean
}

/** The next state of one hashed fix. Pure. */
export function toFate(entry: HashedEntry, outcome: Outcome): Fate {
  const fate: Fate = { open: [], lost: new Map(), again: false }
  const lastMs = fixBlockEnd(entry.block) - 1
  const isServed = !isBeyondWindow(lastMs, outcome.nowMs)
  const isUnserved = isBeyondWindow(lastMs, outcome.provedMs)
  for (const epoch of entry.open) {
    const rows = openRows({ ...entry, open: [epoch] }, outcome.deposited)
    const [first] = rows
    if (first === undefined) continue
    const place = toPlace(epoch, first.roster, outcome)
    const isAgain = isServed && (place === 'pinned-elsewhere' || place === 'replaced')
    const isLost = place === 'refused' || (isUnserved && place === 'pinned-elsewhere')
    if (!isAgain && !isLost) fate.open.push(epoch)
    else for (const { key } of rows) fate.lost.set(key, place === 'refused' ? 'refused' : 'roster')
    fate.again ||= isAgain
  }
  return fate
}

/**
 * `pinned-elsewhere`: the rows can never be deposited. `replaced`: the central peer refused their roster, and another one
 * is in force here too, but the epoch is not pinned yet. `refused`: permanently, for another reason.
 */
function toPlace(
  epoch: number,
  roster: Uint8Array,
  { groups, refused, pins, rosterOf }: Outcome,
): 'open' | 'pinned-elsewhere' | 'replaced' | 'refused' {
  if (isPinnedElsewhere(pins, epoch, roster)) return 'pinned-elsewhere'
  const isSent = groups.some((group) => group.epoch === epoch && equalBytes(group.roster, roster))
  const reason = isSent ? refused.get(epoch)?.reason : undefined
  if (reason === undefined || reason === 'too-new') return 'open'
  if (reason !== 'roster') return 'refused'
  const now = rosterOf(epoch)
  return now !== undefined && !equalBytes(hashToRosterName(now.hash), roster) ? 'replaced' : 'open'
}

/** Whether the central peer pinned this epoch, but not to the roster of this name. */
export function isPinnedElsewhere(pins: Outcome['pins'], epoch: number, roster: Uint8Array): boolean {
  const pinned = pins.rostersOf(epoch).map(hashToRosterName)
  return pinned.length > 0 && !pinned.some((name) => equalBytes(name, roster))
}
