import { afterEach, describe, expect, it } from 'vitest'
import { levelQuotaDisk } from '../../../src/salt/quota/quota-disk.ts'
import { TornDisk } from '../../central/store/level/torn-disk.ts'
import { errorCode } from '../../error-code.ts'
import { Stage } from '../federation.ts'

const stage = new Stage()
afterEach(() => stage.end())

describe('the disk of a quota table', () => {
  it('a directory that is open already is STORE_LOCKED', async () => {
    const dir = await stage.dir()
    const disk = await levelQuotaDisk(dir)
    expect(await errorCode(levelQuotaDisk(dir))).toBe('STORE_LOCKED')
    await disk.close()
    await (await levelQuotaDisk(dir)).close()
  })

  it('an entry that was written after a failed write is there after the disk was opened again', async () => {
    for (const failure of ['nothing', 'landed'] as const) {
      const torn = Object.assign(new TornDisk(), { failure, failAt: 2 })
      const dir = await stage.dir()
      const disk = await levelQuotaDisk(dir, torn.open)
      const put = (n: number) => disk.put([[Uint8Array.of(n), Uint8Array.of(n, n)]])
      await put(1)
      expect(await errorCode(put(2))).toBe('STORAGE_FULL')
      await put(3)
      await disk.close()
      const again = await levelQuotaDisk(dir, torn.open)
      const found: number[] = []
      for await (const [key] of again.entries()) found.push(key[0]!)
      expect(found).toEqual(failure === 'landed' ? [1, 2, 3] : [1, 3])
      await again.close()
    }
  })
})
