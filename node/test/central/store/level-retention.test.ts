import { DAY_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { id } from './sample.ts'
import { storeOnDisk } from './store-on-disk.ts'

describe('retention in a level store', () => {
  const disk = storeOnDisk()

  it('more expired codes than one write holds are all deleted, and valid ones stay', async () => {
    const codes = Array.from({ length: 4_500 }, (_, n) => {
      const expiresAt = (n % 1_000 === 0 ? 102 : 101) * DAY_MS
      return { hash: id(`code ${n}`), issuedAt: 0, expiresAt, state: 'open' as const }
    })
    await disk.store.putCodes(codes)
    await disk.store.dropBefore(102)
    const left: number[] = []
    for await (const { expiresAt } of disk.store.codes()) left.push(expiresAt)
    expect(left).toEqual(new Array(5).fill(102 * DAY_MS))
  })
})
