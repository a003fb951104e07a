import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { addChecksum, verifyChecksum } from '../../../../src/central/store/database/checksummed-value.ts'
import { hash } from '../sample.ts'
import { ROWS_FILLED, storeOnDisk } from '../store-on-disk.ts'

const CORRUPT = expect.objectContaining({ code: 'STORAGE_CORRUPT', data: { what: 'test' } })

describe('a value with a checksum', () => {
  const key = Uint8Array.of(1, 2)
  const body = Uint8Array.of(3, 4, 5)
  const value = addChecksum(key, body)

  it('a value has its body back under its key', () => {
    expect(verifyChecksum(key, value, 'test')).toEqual(body)
    expect(verifyChecksum(key, addChecksum(key, new Uint8Array(0)), 'test')).toHaveLength(0)
  })

  it('a value with a flipped bit, a cut or another key throws STORAGE_CORRUPT', () => {
    for (let bit = 0; bit < 8 * value.length; bit++) {
      const flipped = value.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => verifyChecksum(key, flipped, 'test')).toThrow(CORRUPT)
    }
    for (let length = 0; length < value.length; length++) {
      expect(() => verifyChecksum(key, value.subarray(0, length), 'test')).toThrow(CORRUPT)
    }
    expect(() => verifyChecksum(Uint8Array.of(1, 3), value, 'test')).toThrow(CORRUPT)
  })
})

describe('a damaged file of a level store', () => {
  const disk = storeOnDisk()

  for (const [form, ending] of [
    ['log', '.log'],
    ['table', '.ldb'],
  ] as const) {
    it(`a flipped bit in any byte of a row in a ${form} of LevelDB is STORAGE_CORRUPT`, async () => {
      const user = await disk.fillAndClose()
      // LevelDB turns the log into a table when it opens the database again.
      if (form === 'table') await disk.countRows(user)
      const needle = Buffer.from(hash('3/7'))
      expect(await disk.readDamaged(user, async () => {})).toBe(ROWS_FILLED)
      for (let offset = 0; offset < 13; offset++) {
        const outcome = await disk.readDamaged(user, async (copy) => {
          for (const path of (await disk.files('day-100', copy)).filter((item) => item.endsWith(ending))) {
            const bytes = await readFile(path)
            if (!bytes.includes(needle)) continue
            bytes[bytes.indexOf(needle) + offset]! ^= 1
            await writeFile(path, bytes)
          }
        })
        expect(outcome).toBe('STORAGE_CORRUPT')
      }
    })
  }
})
