/** What is older than the federation's retention leaves the device too: diary, links, deposited rows, marks. */
import { DAY_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import { timeToFixBlock } from '../diary/diary.ts'
import { FAMILIES, keyToNumber } from '../storage/key-layout.ts'
import { del, type StorageOperation } from '../storage/storage.ts'

export async function forgetOld({ storage, clock, manifest, redactor }: Device): Promise<void> {
  const before = clock.now() - manifest.parameters.retentionDays * DAY_MS
  const operations: StorageOperation[] = []
  const oldest: [family: string, number: number][] = [
    [FAMILIES.fix, timeToFixBlock(before)],
    [FAMILIES.hashes, timeToFixBlock(before)],
    [FAMILIES.outbox, timeToFixBlock(before)],
    [FAMILIES.verdict, timeToFixBlock(before)],
    [FAMILIES.deposited, timeToEpoch(before)],
    [FAMILIES.mark, timeToEpoch(before)],
  ]
  for (const [family, number] of oldest) {
    for await (const [key] of storage.range(family)) {
      if (keyToNumber(key) >= number) break
      operations.push(del(key))
    }
  }
  if (operations.length > 0) await storage.batch(operations)
  await redactor.forgetBefore(clock.now())
}
