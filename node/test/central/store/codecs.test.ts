import type { Mark } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { CodeRecord } from '../../../src/central/store/central-store.ts'
import {
  decodeJson,
  decodeMarkList,
  decodeMarks,
  decodePair,
  decodeSync,
  encodeJson,
  encodeMarkList,
  encodeMarks,
  encodePair,
  encodeSync,
} from '../../../src/central/store/codecs.ts'
import { id, syncId } from './sample.ts'

const anyU32 = fc.nat(0xffffffff)
const anyHash = fc.uint8Array({ minLength: 12, maxLength: 12 }).map((bytes) => Uint8Array.from(bytes))
const anyMark: fc.Arbitrary<Mark> = fc.record({
  epoch: anyU32,
  hash: anyHash,
  degree: fc.nat(255),
  weight: fc.nat(0xffff),
  lag: fc.constantFrom(0 as const, 1 as const),
})

describe('the encodings of the level store', () => {
  it('decoded marks and mark lists equal the encoded ones', () => {
    fc.assert(
      fc.property(anyU32, anyU32, fc.array(anyMark), (generation, last, marks) => {
        expect(decodeMarks(encodeMarks(marks))).toEqual(marks)
        const list = { generation, last, entries: marks.map((mark, sequence) => ({ ...mark, sequence })) }
        expect(decodeMarkList(encodeMarkList(list))).toEqual(list)
      }),
    )
  })

  it('a decoded sync, pair and code record equal the encoded ones', () => {
    const sync = { digest: id('digest'), basis: Uint8Array.of(1, 2), day: 20_000 }
    expect(decodeSync(syncId(1), encodeSync(sync))).toEqual({ ...sync, syncId: syncId(1) })
    expect(decodePair(encodePair(7, 0xffffffff))).toEqual([7, 0xffffffff])
    const spent = { user: 3, syncId: syncId(2), report: 4, day: 5 }
    const code: CodeRecord = { hash: id('code'), issuedAt: 1, expiresAt: 2, from: 3, state: 'spent', spent }
    expect(decodeJson(encodeJson(code))).toEqual(code)
  })
})
