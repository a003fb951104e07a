import { REFUSED_REASONS, REPORT_STATUSES, type RefusedGroup } from '@geotrace/core-wasm/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBasis, encodeBasis } from '../../../src/central/sync/reply-basis.ts'

describe('the basis of a reply', () => {
  it('a decoded reply basis equals the encoded one for every status and refusal', () => {
    const anyRefused: fc.Arbitrary<RefusedGroup> = fc.record({
      epoch: fc.nat(),
      reason: fc.constantFrom(...REFUSED_REASONS),
      roster: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Uint8Array.from(bytes)),
    })
    fc.assert(
      fc.property(fc.constantFrom(...REPORT_STATUSES), fc.array(anyRefused, { maxLength: 48 }), (report, refused) => {
        expect(decodeBasis(encodeBasis({ report, refused }))).toEqual({ report, refused })
      }),
    )
  })

  it('decoding a reply basis with an unknown status, an unknown reason or a cut group throws MESSAGE_MALFORMED', () => {
    const group = [0, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    expect(decodeBasis(Uint8Array.of(0, ...group)).refused).toHaveLength(1)
    for (const bytes of [[99], [0, ...group.with(4, 99)], [0, ...group.slice(1)]]) {
      expect(() => decodeBasis(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'MESSAGE_MALFORMED' }))
    }
  })
})
