import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { blobKey } from '../../../src/central/store/level/keys.ts'
import { valueSeal } from '../../../src/central/store/sealed-value.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { ROWS_FILLED, storeOnDisk } from './level/store-on-disk.ts'

const CORRUPT = expect.objectContaining({ code: 'STORAGE_CORRUPT', data: { what: 'test' } })

describe('a sealed value', () => {
  const key = Uint8Array.of(1, 2)
  const body = Uint8Array.of(3, 4, 5)
  const secret = systemRandom(32)
  const { seal, open } = valueSeal(secret, systemRandom)
  const value = seal(key, body)

  it('a value has its body back under its key, and its bytes do not show the body', () => {
    expect(open(key, value, 'test')).toEqual(body)
    expect(open(key, seal(key, new Uint8Array(0)), 'test')).toHaveLength(0)
    const long = new Uint8Array(1_000).fill(7)
    expect(open(key, seal(key, long), 'test')).toEqual(long)
    expect(Buffer.from(seal(key, long)).includes(Buffer.from(long.subarray(0, 8)))).toBe(false)
    // Equal bodies give no equal values.
    expect(seal(key, body)).not.toEqual(value)
  })

  it('a value with a flipped bit, a cut, another key of its entry or another secret throws STORAGE_CORRUPT', () => {
    for (let bit = 0; bit < 8 * value.length; bit++) {
      const flipped = value.slice()
      flipped[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => open(key, flipped, 'test')).toThrow(CORRUPT)
    }
    for (let length = 0; length < value.length; length++) {
      expect(() => open(key, value.subarray(0, length), 'test')).toThrow(CORRUPT)
    }
    expect(() => open(Uint8Array.of(1, 3), value, 'test')).toThrow(CORRUPT)
    expect(() => valueSeal(systemRandom(32), systemRandom).open(key, value, 'test')).toThrow(CORRUPT)
  })
})

describe('a damaged file of a level store', () => {
  const disk = storeOnDisk()

  for (const [form, ending] of [
    ['log', '.log'],
    ['table', '.ldb'],
  ] as const) {
    it(`a flipped bit in a value in a ${form} of LevelDB is STORAGE_CORRUPT`, async () => {
      const user = await disk.fillAndClose()
      // LevelDB turns the log into a table when it opens the database again.
      if (form === 'table') await disk.countRows(user)
      const [needle] = await disk.storedValues([blobKey(3)])
      expect(await disk.readDamaged(user, async () => {})).toBe(ROWS_FILLED)
      for (let offset = 0; offset < needle!.length; offset += 47) {
        const outcome = await disk.readDamaged(user, async (copy) => {
          for (const path of (await disk.files('day-100', copy)).filter((item) => item.endsWith(ending))) {
            const bytes = await readFile(path)
            if (!bytes.includes(needle!)) continue
            bytes[bytes.indexOf(needle!) + offset]! ^= 1
            await writeFile(path, bytes)
          }
        })
        expect(outcome).toBe('STORAGE_CORRUPT')
      }
    })
  }
})
