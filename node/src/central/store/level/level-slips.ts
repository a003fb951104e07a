/**
 * The slips of the spread in the level store. PROTOCOL.md §9.8. Each slip has an entry by its period, and one by its user, so
 * that an erasure or a withdrawal finds it. A batch has slips only: nothing says whose they were.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import { byteReader, byteWriter, concatBytes, SPREAD_SLIP_BYTES } from '@geotrace/core-wasm/wire'
import { prefixRange } from '../../../platform/level-handle.ts'
import type { CentralStore, Deposit, ReportId, Slip, User } from '../central-store.ts'
import type { Database, Operation } from './database.ts'
import { keyNumber, metaKey, NO_BODY } from './keys.ts'

interface OwnedSlip extends Slip {
  readonly user: User
}
type SlipMethods = 'slipPeriods' | 'takeSlips' | 'batchOf' | 'closePeriod' | 'dropPeriod'

export interface LevelSlips extends Pick<CentralStore, SlipMethods> {
  /** The operations that keep the slip of a deposit. */
  toOperations(deposit: Pick<Deposit, 'user' | 'slip'>): Operation[]
  /** Deletes the slips of a user in the write that the task makes with these operations. */
  deleteOf(user: User, task: (operations: readonly Operation[]) => Promise<void>): Promise<void>
}

export function levelSlips(meta: Database): LevelSlips {
  // No slip goes into a batch while it is deleted.
  const exclusive = oneAtATime()

  const compact = (period: number): Promise<void> => meta.compact(prefixRange(metaKey('slip', period)))
  const batchOf = (period: number): Promise<Uint8Array | undefined> => meta.get(metaKey('slipBatch', period))

  return {
    toOperations: ({ user, slip }) => {
      if (slip === undefined) return []
      const { period, report, bytes } = slip
      const body = byteWriter(4 + SPREAD_SLIP_BYTES)
        .u32(user)
        .bytes(bytes, SPREAD_SLIP_BYTES)
        .finish()
      return [
        { key: metaKey('slip', period, report), body },
        { key: metaKey('slipByUser', user, period, report), body: NO_BODY },
      ]
    },
    deleteOf: (user, task) =>
      exclusive(async () => {
        const operations: Operation[] = []
        const periods = new Set<number>()
        for await (const key of meta.keys(prefixRange(metaKey('slipByUser', user)))) {
          const [period, report] = [keyNumber(key, 1), keyNumber(key, 2)]
          operations.push({ key }, { key: metaKey('slip', period, report) })
          periods.add(period)
        }
        await task(operations)
        for (const period of periods) await compact(period)
      }),
    async slipPeriods() {
      const periods = new Set<number>()
      for (const kind of ['slip', 'slipBatch'] as const)
        for await (const key of meta.keys(prefixRange(metaKey(kind)))) periods.add(keyNumber(key, 0))
      return [...periods].sort((a, b) => a - b)
    },
    takeSlips: async (period) => (await readSlips(meta, period)).map(({ report, bytes }) => ({ report, bytes })),
    batchOf,
    closePeriod: (period, reports) =>
      exclusive(async () => {
        const known = await batchOf(period)
        if (known !== undefined) return known
        const chosen = new Set<ReportId>(reports)
        const slips = await readSlips(meta, period)
        const batch = concatBytes(...slips.filter(({ report }) => chosen.has(report)).map(({ bytes }) => bytes))
        await meta.write([
          ...slips.flatMap((slip) => deletion(period, slip)),
          { key: metaKey('slipBatch', period), body: batch },
        ])
        await compact(period)
        return batch
      }),
    dropPeriod: (period) =>
      exclusive(async () => {
        const slips = await readSlips(meta, period)
        await meta.write([...slips.flatMap((slip) => deletion(period, slip)), { key: metaKey('slipBatch', period) }])
        await compact(period)
        await meta.compact(prefixRange(metaKey('slipBatch', period)))
      }),
  }
}

/** In the order of their bytes. */
async function readSlips(meta: Database, period: number): Promise<OwnedSlip[]> {
  const slips: OwnedSlip[] = []
  for await (const [key, body] of meta.entries(prefixRange(metaKey('slip', period)))) {
    const reader = byteReader(body)
    slips.push({ report: keyNumber(key, 1), user: reader.u32(), bytes: reader.bytes(SPREAD_SLIP_BYTES) })
  }
  return slips.sort((a, b) => Buffer.compare(a.bytes, b.bytes))
}

function deletion(period: number, { user, report }: OwnedSlip): Operation[] {
  return [{ key: metaKey('slip', period, report) }, { key: metaKey('slipByUser', user, period, report) }]
}
