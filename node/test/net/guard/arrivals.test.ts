import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arrivals,
  FLOOD_HANDSHAKES,
  FLOOD_MS,
  HANDSHAKE_INTERVAL_MS,
  MEMBERS_MAX,
} from '../../../src/net/guard/arrivals.ts'
import { PREFIXES_MAX } from '../../../src/net/limits.ts'

/** A node without rest, because so many have begun within the last second. */
function flooded(isSaturated = () => true) {
  const it = arrivals(isSaturated)
  for (let i = 0; i < FLOOD_HANDSHAKES; i++) it.admit(`crowd ${i}`, 0)
  return it
}

describe('who may begin a handshake', () => {
  it('is everybody, as often as they like, while the node keeps up', () => {
    const { admit: enter } = flooded(() => false)
    for (let i = 0; i < 10; i++) expect(enter('a', i)).toBe(true)
  })

  it('is everybody too while other things take all it has', () => {
    const { admit: enter } = arrivals(() => true)
    for (let i = 0; i < 10 * FLOOD_HANDSHAKES; i++) expect(enter('a', i * 25)).toBe(true)
  })

  it('is everybody once while they take all it has, and again after a while', () => {
    const { admit: enter } = flooded()
    expect(enter('a', 0)).toBe(true)
    expect(enter('b', 1)).toBe(true)
    expect(enter('a', 999)).toBe(false)
    expect(enter('a', HANDSHAKE_INTERVAL_MS - 1)).toBe(false)
    expect(enter('a', HANDSHAKE_INTERVAL_MS)).toBe(true)
    expect(enter('b', HANDSHAKE_INTERVAL_MS)).toBe(false)
    expect(enter('b', HANDSHAKE_INTERVAL_MS + 1)).toBe(true)
  })

  it('is everybody again when it has had rest for a while, not at the first breath', () => {
    let isSaturated = true
    const { admit: enter } = flooded(() => isSaturated)
    enter('a', 0)
    expect(enter('a', 1)).toBe(false)
    isSaturated = false
    expect(enter('b', HANDSHAKE_INTERVAL_MS)).toBe(true)
    expect(enter('b', FLOOD_MS)).toBe(false)
    expect(enter('b', FLOOD_MS + 1)).toBe(true)
  })

  it('is, while others come without end, nobody twice within the time, whoever comes and when', () => {
    const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(HANDSHAKE_INTERVAL_MS)), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(visits, (all) => {
        const { admit: enter } = arrivals(() => true)
        const last = new Map<string, number>()
        let now = 0
        let stranger = 0
        for (const [source, afterMs] of all) {
          now += afterMs
          for (let i = 0; i < FLOOD_HANDSHAKES; i++) expect(enter(`stranger ${stranger++}`, now)).toBe(true)
          const may = now - (last.get(source) ?? Number.NEGATIVE_INFINITY) >= HANDSHAKE_INTERVAL_MS
          expect(enter(source, now)).toBe(may)
          if (may) last.set(source, now)
        }
      }),
    )
  })

  it('is a member of the federation at any time', () => {
    const { admit: enter, addMember: know } = flooded()
    know('member')
    for (let i = 0; i < 3; i++) expect(enter('member', i)).toBe(true)
    for (let i = 0; i < MEMBERS_MAX; i++) know(String(i))
    expect(enter('member', 3)).toBe(false)
  })

  it('forgets the first of too many, and lets it in', () => {
    const { admit: enter } = arrivals(() => true)
    for (let i = 0; i <= PREFIXES_MAX; i++) enter(String(i), 0)
    expect(enter('1', 1)).toBe(false)
    expect(enter('0', 1)).toBe(true)
  })
})
