/**
 * The files of a role: for each period the secret of its key, the digest of its one batch, and its output. PROTOCOL.md §9.7,
 * §9.8. All are removed together. No backup holds them. Throws STORAGE_CORRUPT, STORAGE_FULL, BUSY.
 */
import { byteReader, byteWriter } from '@geotrace/core-wasm/wire'
import type { Records } from '../platform/file-records.ts'

const INDEX = 'periods'
const KINDS = ['key', 'batch', 'output'] as const
type RecordKind = (typeof KINDS)[number]

export interface RoleRecords {
  get(period: number, kind: RecordKind): Promise<Uint8Array | undefined>
  put(period: number, kind: RecordKind, value: Uint8Array): Promise<void>
  /** The periods with records, ascending. */
  periods(): Promise<number[]>
  /** Removes all records of the period, the secret first. */
  drop(period: number): Promise<void>
}

export function roleRecords(records: Records): RoleRecords {
  const periods = async (): Promise<number[]> => decode(await records.get(INDEX))
  return {
    get: (period, kind) => records.get(toName(period, kind)),
    async put(period, kind, value) {
      // The index first, so that no record stays without an entry.
      if (!(await periods()).includes(period))
        await records.update(INDEX, (known) => encode([...decode(known), period].sort((a, b) => a - b)))
      await records.put(toName(period, kind), value)
    },
    periods,
    async drop(period) {
      for (const kind of KINDS) await records.remove(toName(period, kind))
      await records.update(INDEX, (known) => encode(decode(known).filter((item) => item !== period)))
    },
  }
}

function toName(period: number, kind: RecordKind): string {
  return `${kind}-${period}`
}

function encode(periods: readonly number[]): Uint8Array {
  const writer = byteWriter(4 * periods.length)
  for (const period of periods) writer.u32(period)
  return writer.finish()
}

function decode(bytes: Uint8Array = new Uint8Array(0)): number[] {
  const reader = byteReader(bytes)
  return Array.from({ length: bytes.length / 4 }, () => reader.u32())
}
