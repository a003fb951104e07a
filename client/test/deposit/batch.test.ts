import { decodeSyncRequest, SYNC_ID_BYTES, type SyncKind, USER_SECRET_BYTES } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { deleteFrozen, freeze, isErasing, readFrozen, requestToBatch } from '../../src/deposit/batch.ts'
import { putDue } from '../../src/device/own-report.ts'
import { KEYS } from '../../src/storage/key-layout.ts'
import { memoryStorage } from '../../src/storage/memory-storage.ts'
import { keysOf } from '../fixture.ts'

const CLASSES = [512, 1024]
const CODE = new Uint8Array(10).fill(3)
const REPORTS: [kind: string, report: SyncKind][] = [
  ['rows', { kind: 'none' }],
  ['report', { kind: 'code', code: CODE, from: 9, testDay: 20_000 }],
  ['report', { kind: 'withdraw', reason: 'negative' }],
  ['erase', { kind: 'erase', keepWarning: true }],
]

function batchOf(report: SyncKind) {
  const secret = new Uint8Array(USER_SECRET_BYTES).fill(1)
  const syncId = new Uint8Array(SYNC_ID_BYTES).fill(2)
  return requestToBatch(
    { minute: 0, userSecret: secret, syncId, report, generation: 4, cursor: 5, groups: [] },
    CLASSES,
  )
}

describe('a batch', () => {
  it('a frozen batch is read back byte for byte with its kind, until it is deleted', async () => {
    for (const [kind, report] of REPORTS) {
      const storage = memoryStorage()
      const batch = batchOf(report)
      expect(decodeSyncRequest(batch.frame, CLASSES)).toMatchObject({ report, generation: 4, cursor: 5 })
      expect(await readFrozen(storage)).toBeUndefined()
      await storage.batch(freeze(batch))
      expect(await readFrozen(storage)).toEqual({ kind, frame: batch.frame })
      expect(await isErasing(storage)).toBe(kind === 'erase')
      await storage.batch(deleteFrozen())
      expect(await keysOf(storage)).toEqual([])
    }
  })

  it('a report that is due leaves its key only with the batch that carries it', async () => {
    for (const [kind, report] of REPORTS) {
      const storage = memoryStorage()
      await storage.batch([putDue({ kind: 'code', code: CODE, from: 9, testDay: 0 })])
      await storage.batch(freeze(batchOf(report)))
      expect((await storage.get(KEYS.due)) === undefined).toBe(kind === 'report')
    }
  })
})
