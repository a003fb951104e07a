/**
 * One hash for each period, permanently: what an operator voted for, or what it proposed. PROTOCOL.md §4.6, §4.7.
 * The hash is on disk before the caller signs, so a crash between the two cannot lead to a second signature.
 * Throws STORAGE_CORRUPT.
 */
import { byteReader, byteWriter, equalBytes, HASH_BYTES } from '@geotrace/core-wasm/wire'
import type { Records } from '../../platform/file-records.ts'

/**
 * Periods of which the hash is kept, 36 bytes each. The newest certified roster is among them, however many periods
 * failed since: with a daily roster these are seventeen months.
 */
export const PLEDGES_MAX = 512
const PLEDGE_BYTES = 4 + HASH_BYTES

interface Pledge {
  firstEpoch: number
  hash: Uint8Array
}

interface Pledges {
  /** The hash of this period, if there is one. */
  of(firstEpoch: number): Promise<Uint8Array | undefined>
  /** True when `hash` is the hash of this period from now on; false for another hash, or for a period too long ago. */
  give(firstEpoch: number, hash: Uint8Array): Promise<boolean>
}

/** The pledges in the record `name`. */
export function createPledges(records: Records, name: string): Pledges {
  return {
    of: async (firstEpoch) => hashOf(decodePledges(await records.get(name)), firstEpoch),
    async give(firstEpoch, hash) {
      const before = hashOf(decodePledges(await records.get(name)), firstEpoch)
      if (before !== undefined) return equalBytes(before, hash)
      // Reads and writes in one step, because two concurrent calls could both find no hash.
      let kept: Uint8Array | undefined
      await records.update(name, (bytes) => {
        const list = addPledge(decodePledges(bytes), { firstEpoch, hash })
        kept = hashOf(list, firstEpoch)
        return encodePledges(list)
      })
      return kept !== undefined && equalBytes(kept, hash)
    },
  }
}

/**
 * The list with this pledge, newest period first. The oldest pledge makes room. A full list takes none for a period before
 * those that it keeps, because it may have had another pledge for that period.
 */
function addPledge(list: readonly Pledge[], pledge: Pledge): Pledge[] {
  if (hashOf(list, pledge.firstEpoch) !== undefined) return [...list]
  return [pledge, ...list].sort((a, b) => b.firstEpoch - a.firstEpoch).slice(0, PLEDGES_MAX)
}

function hashOf(list: readonly Pledge[], firstEpoch: number): Uint8Array | undefined {
  return list.find((item) => item.firstEpoch === firstEpoch)?.hash
}

function decodePledges(bytes: Uint8Array | undefined): Pledge[] {
  if (bytes === undefined) return []
  const reader = byteReader(bytes)
  const list = Array.from({ length: reader.u16() }, () => ({
    firstEpoch: reader.u32(),
    hash: reader.bytes(HASH_BYTES),
  }))
  reader.end()
  return list
}

function encodePledges(list: readonly Pledge[]): Uint8Array {
  const writer = byteWriter(2 + list.length * PLEDGE_BYTES).u16(list.length)
  for (const { firstEpoch, hash } of list) writer.u32(firstEpoch).bytes(hash, HASH_BYTES)
  return writer.finish()
}
