/**
 * Which reports have their slips in the one batch of a period. PROTOCOL.md §9.8. It is on the disk before the mixer gets the
 * batch, because a role takes the same batch again and no other. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 *
 *  record  { u32 period; u32 count; u32 report[count] }[]
 */
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'
import type { ReportId } from '../store/central-store.ts'

const NAME = 'spread-batches'
type Batches = ReadonlyMap<number, readonly ReportId[]>

interface GivenBatches {
  get(period: number): Promise<readonly ReportId[] | undefined>
  put(period: number, reports: readonly ReportId[]): Promise<void>
  /** Forgets the batches of all other periods. */
  keep(periods: readonly number[]): Promise<void>
}

export function givenBatches(records: Records): GivenBatches {
  const read = async (): Promise<Batches> => decode(await records.get(NAME))
  return {
    get: async (period) => (await read()).get(period),
    put: (period, reports) =>
      records.update(NAME, (bytes) => encode(new Map([...decode(bytes), [period, reports] as const]))),
    async keep(periods) {
      const isKept = (period: number): boolean => periods.includes(period)
      if ([...(await read()).keys()].every(isKept)) return
      await records.update(NAME, (bytes) => encode(new Map([...decode(bytes)].filter(([period]) => isKept(period)))))
    },
  }
}

function encode(batches: Batches): Uint8Array {
  const writer = byteWriter([...batches.values()].reduce((bytes, reports) => bytes + 8 + 4 * reports.length, 0))
  for (const [period, reports] of batches) {
    writer.u32(period).u32(reports.length)
    for (const report of reports) writer.u32(report)
  }
  return writer.finish()
}

function decode(bytes: Uint8Array = new Uint8Array(0)): Batches {
  const reader = byteReader(bytes)
  const batches = new Map<number, ReportId[]>()
  while (reader.left > 0) {
    const period = reader.u32()
    batches.set(
      period,
      Array.from({ length: reader.u32() }, () => reader.u32()),
    )
  }
  return batches
}
