/** The diary as told to its owner: each fix with what became of it. README "The tracer". */
import type { Fix } from '@geotrace/core-wasm'
import { type Device, toDecision } from '../device/device.ts'
import { fixBlockEnd, readDiary, timeToFixBlock } from '../diary/diary.ts'
import { decodeHashedFix, type FixRow, hashedFixToRows } from '../salts/hashed-fix.ts'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import type { Storage } from '../storage/storage.ts'
import { type DepositedRows, isDeposited, readDeposited } from './deposited.ts'

/**
 * Its five minutes are not over; it waits for salts; it is hashed and held back (home unknown, or the night); hashed and
 * goes with the next sync; the central peer has all of it; its time ran out before it could go.
 */
export const DIARY_STATES = ['open', 'waiting', 'held', 'hashed', 'deposited', 'lost'] as const
export type DiaryState = (typeof DIARY_STATES)[number]

export interface DiaryEntry extends Fix {
  state: DiaryState
}

export async function* readDiaryEntries(device: Device): AsyncIterable<DiaryEntry> {
  const acknowledged = openAcknowledged(device.storage)
  for await (const fix of readDiary(device.storage))
    yield { ...fix, state: await fixToState(device, fix, acknowledged) }
}

type Acknowledged = (row: FixRow) => Promise<boolean>

/** Whether the centre has a row. Fixes come in order, many to an epoch, whose rows are then read once. */
function openAcknowledged(storage: Storage): Acknowledged {
  let known: { epoch: number; rows: DepositedRows } | undefined
  return async ({ epoch, key, lags }) => {
    if (known?.epoch === epoch && isDeposited(known.rows, key, lags)) return true
    // Not there when they were read: it may have come since.
    known = { epoch, rows: await readDeposited(storage, epoch) }
    return isDeposited(known.rows, key, lags)
  }
}

async function fixToState(device: Device, fix: Fix, isAcknowledged: Acknowledged): Promise<DiaryState> {
  const { storage, clock } = device
  const block = timeToFixBlock(fix.at)
  if ((await storage.get(numberedKey(FAMILIES.waiting, block))) !== undefined) {
    return fixBlockEnd(block) > clock.now() ? 'open' : 'waiting'
  }
  const hashes = await storage.get(numberedKey(FAMILIES.hashes, block))
  if (hashes === undefined) return 'lost'
  if ((await storage.get(numberedKey(FAMILIES.outbox, block))) !== undefined) {
    return toDecision(device, clock.now())(fix) === 'hold' ? 'held' : 'hashed'
  }
  // Out of the outbox: acknowledged, or its epochs took no deposits any more.
  const [first] = hashedFixToRows(decodeHashedFix(block, hashes))
  return (await isAcknowledged(first!)) ? 'deposited' : 'lost'
}
