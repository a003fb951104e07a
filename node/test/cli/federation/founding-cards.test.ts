import { bytesToHex, keyToPeerId } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { assertCards } from '../../../src/cli/federation/founding-cards.ts'
import type { MemberCard } from '../../../src/membership/new-manifest.ts'

const key = (n: number) => new Uint8Array(32).fill(n)
const card = (n: number, more: Partial<MemberCard> = {}): MemberCard => ({
  operator: `operator-${n}`,
  operatorKey: bytesToHex(key(n)),
  peerId: keyToPeerId(key(n)),
  addresses: [`/ip4/203.0.113.${n}/tcp/4101`],
  commitment: bytesToHex(key(100 + n)),
  ...more,
})
const PATHS = ['a.json', 'b.json', 'central.json']
/** The last card is that of the central peer. */
const refused = (...cards: MemberCard[]) => {
  try {
    assertCards(PATHS, [...cards.slice(0, -1), { seal: bytesToHex(key(9)), ...cards.at(-1)! }])
    return 'accepted'
  } catch (error) {
    return (error as Error).message
  }
}

describe('the cards of a founding', () => {
  it('a card without a seal key is not that of a central peer', () => {
    expect(refused(card(1), card(2), card(3, { seal: undefined }))).toContain('central.json has no seal key')
  })

  it('cards of distinct nodes in one network are accepted, also two nodes of one operator', () => {
    expect(refused(card(1), card(2), card(3))).toBe('accepted')
    const { operator, operatorKey } = card(1)
    expect(refused(card(1), card(2, { operator, operatorKey }), card(3))).toBe('accepted')
  })

  it('two cards that contradict each other are refused with the names of both files', () => {
    expect(refused(card(1), card(1), card(3))).toMatch(/the cards a\.json and b\.json name one node/)
    expect(refused(card(1), card(2, { operator: 'operator-1' }), card(3))).toMatch(
      /a\.json and b\.json have one operator name, operator-1, and different operator keys/,
    )
    expect(refused(card(1), card(2, { operatorKey: card(1).operatorKey }), card(3))).toMatch(
      /a\.json and b\.json have one operator key and different names, operator-1 and operator-2/,
    )
    const { commitment } = card(1)
    expect(refused(card(1), card(2, { commitment }), card(3))).toMatch(/a\.json and b\.json have one commitment/)
    const { operator, operatorKey } = card(3)
    expect(refused(card(1), card(2, { operator, operatorKey }), card(3))).toMatch(
      /b\.json names operator-3, the operator of the central peer/,
    )
  })

  it('a card of another network than the first is refused with its address', () => {
    expect(refused(card(1), card(2, { addresses: ['/ip4/127.0.0.1/tcp/4101'] }), card(3))).toMatch(
      /b\.json names loopback addresses such as \/ip4\/127\.0\.0\.1\/tcp\/4101, and the card a\.json names public ones/,
    )
    expect(refused(card(1), card(2), card(3, { addresses: ['/ip4/192.168.0.9/tcp/4301'] }))).toMatch(
      /central\.json names private addresses/,
    )
  })
})
