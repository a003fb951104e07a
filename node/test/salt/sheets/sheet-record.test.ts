import { describe, expect, it } from 'vitest'
import { readSheetRoot, writeSheetRecord } from '../../../src/salt/sheets/sheet-record.ts'
import { memoryRecords } from '../../membership/agreement/council-world.ts'

const hash = (byte: number) => new Uint8Array(32).fill(byte)

describe('the record of signed sheets', () => {
  it('the record holds one root for each period and roster before, and the last root written for it', async () => {
    const records = memoryRecords()
    const [one, two] = [
      { firstEpoch: 18, previous: hash(1) },
      { firstEpoch: 18, previous: hash(2) },
    ]
    await writeSheetRecord(records, 3, { ...one, root: hash(7) })
    await writeSheetRecord(records, 3, { ...two, root: hash(8) })
    expect(await readSheetRoot(records, 3, one)).toEqual(hash(7))
    expect(await readSheetRoot(records, 3, two)).toEqual(hash(8))
    expect(await readSheetRoot(records, 3, { ...one, firstEpoch: 36 })).toBeUndefined()
    expect(await readSheetRoot(records, 4, one)).toBeUndefined()
    await writeSheetRecord(records, 3, { ...one, root: hash(9) })
    expect(await readSheetRoot(records, 3, one)).toEqual(hash(9))
    expect(await readSheetRoot(records, 3, two)).toEqual(hash(8))
  })

  it('the record keeps the newest eight roots', async () => {
    const records = memoryRecords()
    for (let i = 1; i <= 400; i++)
      await writeSheetRecord(records, 0, { firstEpoch: i, previous: hash(0), root: hash(i) })
    const kept = await Promise.all(
      Array.from({ length: 400 }, (_, i) => readSheetRoot(records, 0, { firstEpoch: i + 1, previous: hash(0) })),
    )
    expect(kept.flatMap((root, i) => (root === undefined ? [] : [i + 1]))).toEqual([
      393, 394, 395, 396, 397, 398, 399, 400,
    ])
  })
})
