/** The draw of mixer and teller against a plain model on node:crypto. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { testManifest } from '../../../src/testing/founding.ts'
import * as wire from '../../../src/wire/index.ts'

const roster = wire.manifestToRoster(testManifest())
const lot = (bytes: Uint8Array, period: number): string => {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(period)
  return createHash('sha256').update('geotrace/spread').update(bytes).update(number).digest('hex')
}
const nameOf = (operator: number): string => roster.operators[operator]!.name
const period = fc.integer({ min: 0, max: 0xffffffff })
/** A roster whose operators have these numbers of nodes. */
const withNodes = (counts: readonly number[]): wire.Roster => ({
  ...roster,
  members: counts.flatMap((count, operator) =>
    Array.from({ length: count }, (_, i) => ({
      key: new Uint8Array(createHash('sha256').update(`${operator}/${i}`).digest()),
      operator,
      addresses: [],
      moved: 0,
    })),
  ),
})

describe('the roles of a spread', () => {
  it('the roles are the members of the two operators with the lowest lots', () => {
    fc.assert(
      fc.property(period, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 5, maxLength: 5 }), (p, counts) => {
        const drawn = wire.drawSpreadRoles(withNodes(counts), p)
        const order = roster.operators
          .slice(0, 5)
          .map(({ rank }, operator) => ({ operator, lot: lot(rank!, p) }))
          .filter(({ operator }) => counts[operator]! > 0)
          .sort((a, b) => (a.lot < b.lot ? -1 : 1))
        if (order.length < 2) {
          expect(drawn).toBeUndefined()
          return
        }
        expect([drawn!.mixer.operator, drawn!.teller.operator]).toEqual([order[0]!.operator, order[1]!.operator])
        for (const { key, operator } of [drawn!.mixer, drawn!.teller]) {
          const own = withNodes(counts).members.filter((member) => member.operator === operator)
          expect(lot(key, p)).toBe(own.map((member) => lot(member.key, p)).sort()[0])
        }
      }),
    )
  })

  it('more nodes give an operator no more periods, and each operator has its share', () => {
    const [few, many] = [withNodes([1, 1, 1, 1, 1]), withNodes([9, 1, 1, 1, 1])]
    const mixers = [few, many].map((item) =>
      Array.from({ length: 2_000 }, (_, p) => nameOf(wire.drawSpreadRoles(item, p)!.mixer.operator)),
    )
    expect(mixers[1]).toEqual(mixers[0])
    for (const name of new Set(mixers[0])) {
      const share = mixers[0]!.filter((item) => item === name).length / 2_000
      expect(share).toBeGreaterThan(0.15)
      expect(share).toBeLessThan(0.25)
    }
    expect(new Set(mixers[0]).size).toBe(5)
  })

  it('members and operators that left are not drawn', () => {
    fc.assert(
      fc.property(period, (p) => {
        const { mixer, teller } = wire.drawSpreadRoles(roster, p)!
        const gone = [mixer.key, roster.operators[teller.operator]!.key]
        const next = wire.drawSpreadRoles({ ...roster, gone }, p)!
        for (const role of [next.mixer, next.teller]) expect([mixer.key, teller.key]).not.toContainEqual(role.key)
      }),
      { numRuns: 50 },
    )
  })

  it('a period begins at multiples of its days, and the roster of the day before rules it', () => {
    const spread = { areas: [5], resolution: 5, periodDays: 7, minimum: 20, epsilon: 1_000 }
    expect(wire.periodToSpread({ spread }, 700)).toEqual(spread)
    expect(wire.periodToSpread({ spread }, 701)).toBeUndefined()
    expect(wire.periodToSpread({}, 700)).toBeUndefined()
    expect(wire.periodToRulingEpoch(700)).toBe(699 * 18)
  })
})
