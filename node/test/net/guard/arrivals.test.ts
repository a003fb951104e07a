import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  arrivals,
  FLOOD_HANDSHAKES,
  FLOOD_MS,
  HANDSHAKE_INTERVAL_MS,
  KNOWN_MEMBERS_MAX,
} from '../../../src/net/guard/arrivals.ts'
import { PREFIXES_MAX } from '../../../src/net/limits.ts'

/** Arrivals during a flood: many handshakes in the last second. */
function flooded(isSaturated = () => true) {
  const it = arrivals(isSaturated)
  for (let i = 0; i < FLOOD_HANDSHAKES; i++) it.admit(`flood ${i}`, 0)
  return it
}

describe('the admission to a handshake', () => {
  it('a requester may start any number of handshakes while the event loop is not saturated', () => {
    const { admit } = flooded(() => false)
    for (let i = 0; i < 10; i++) expect(admit('a', i)).toBe(true)
  })

  it('a requester may start any number of handshakes while other work saturates the event loop', () => {
    const { admit } = arrivals(() => true)
    for (let i = 0; i < 10 * FLOOD_HANDSHAKES; i++) expect(admit('a', i * 25)).toBe(true)
  })

  it('a requester may start one handshake in 20 s during a flood', () => {
    const { admit } = flooded()
    expect(admit('a', 0)).toBe(true)
    expect(admit('b', 1)).toBe(true)
    expect(admit('a', 999)).toBe(false)
    expect(admit('a', HANDSHAKE_INTERVAL_MS - 1)).toBe(false)
    expect(admit('a', HANDSHAKE_INTERVAL_MS)).toBe(true)
    expect(admit('b', HANDSHAKE_INTERVAL_MS)).toBe(false)
    expect(admit('b', HANDSHAKE_INTERVAL_MS + 1)).toBe(true)
  })

  it('a flood ends 30 s after its last sign', () => {
    let isSaturated = true
    const { admit } = flooded(() => isSaturated)
    admit('a', 0)
    expect(admit('a', 1)).toBe(false)
    isSaturated = false
    expect(admit('b', HANDSHAKE_INTERVAL_MS)).toBe(true)
    expect(admit('b', FLOOD_MS)).toBe(false)
    expect(admit('b', FLOOD_MS + 1)).toBe(true)
  })

  it('no requester starts two handshakes within 20 s of a lasting flood, whatever the order', () => {
    const visits = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(HANDSHAKE_INTERVAL_MS)), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(visits, (all) => {
        const { admit } = arrivals(() => true)
        const last = new Map<string, number>()
        let now = 0
        let stranger = 0
        for (const [fence, afterMs] of all) {
          now += afterMs
          for (let i = 0; i < FLOOD_HANDSHAKES; i++) expect(admit(`stranger ${stranger++}`, now)).toBe(true)
          const may = now - (last.get(fence) ?? Number.NEGATIVE_INFINITY) >= HANDSHAKE_INTERVAL_MS
          expect(admit(fence, now)).toBe(may)
          if (may) last.set(fence, now)
        }
      }),
    )
  })

  it('a member of the federation may start any number of handshakes while its address is remembered', () => {
    const { admit, addMember } = flooded()
    addMember('member')
    for (let i = 0; i < 3; i++) expect(admit('member', i)).toBe(true)
    for (let i = 0; i < KNOWN_MEMBERS_MAX; i++) addMember(String(i))
    expect(admit('member', 3)).toBe(false)
  })

  it('a full table forgets the oldest requester, which may then start a handshake', () => {
    const { admit } = arrivals(() => true)
    for (let i = 0; i <= PREFIXES_MAX; i++) admit(String(i), 0)
    expect(admit('1', 1)).toBe(false)
    expect(admit('0', 1)).toBe(true)
  })
})
