import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ABUSE_MS } from '../../../src/net/guard/abusers.ts'
import {
  arrivals,
  FLOOD_HANDSHAKES,
  FLOOD_MS,
  HANDSHAKE_INTERVAL_MS,
  KNOWN_MEMBERS_MAX,
  SATURATED_SHARE,
} from '../../../src/net/guard/arrivals.ts'
import { PREFIXES_MAX } from '../../../src/net/limits.ts'

/** Arrivals of requesters that are known by a name. */
function named(utilisation = () => 1) {
  const { admit, abused, addMember } = arrivals(utilisation)
  const may = (name: string, nowMs: number, isWaiting = false): boolean =>
    admit({ prefix: name, fence: name }, nowMs, isWaiting)
  return { admit: may, abused, addMember }
}

/** Arrivals during a flood: many handshakes in the last second. */
function flooded(utilisation?: () => number) {
  const it = named(utilisation)
  for (let i = 0; i < FLOOD_HANDSHAKES; i++) it.admit(`flood ${i}`, 0)
  return it
}

describe('the admission to a handshake', () => {
  it('a requester may start any number of handshakes while the event loop is not saturated', () => {
    const { admit } = flooded(() => SATURATED_SHARE)
    for (let i = 0; i < 10; i++) expect(admit('a', i)).toBe(true)
  })

  it('a requester may start any number of handshakes while other work saturates the event loop', () => {
    const { admit } = named()
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
    let share = 1
    const { admit } = flooded(() => share)
    admit('a', 0)
    expect(admit('a', 1)).toBe(false)
    share = SATURATED_SHARE
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
        const { admit } = named()
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
    const { admit } = named()
    for (let i = 0; i <= PREFIXES_MAX; i++) admit(String(i), 0)
    expect(admit('1', 1)).toBe(false)
    expect(admit('0', 1)).toBe(true)
  })

  it('after abuse a requester starts a handshake only when it has waited, and others need not wait', () => {
    const { admit, abused } = named(() => 0)
    expect(admit('a', 0)).toBe(true)
    abused('a', 1)
    expect(admit('a', 1_000)).toBe(false)
    expect(admit('a', 1_000, true)).toBe(true)
    expect(admit('b', 1_000)).toBe(true)
    expect(admit('a', 1_001 + ABUSE_MS)).toBe(true)
  })

  it('a member of the federation need not wait after abuse', () => {
    const { admit, abused, addMember } = named(() => 0)
    addMember('member')
    abused('member', 0)
    expect(admit('member', 1)).toBe(true)
  })
})
