import { describe, expect, it } from 'vitest'
import {
  ABUSE_MS,
  abusers,
  SPARE_SHARE,
  TURN_MS,
  TURN_OF_ALL_BUSY_MS,
  TURN_OF_ALL_MS,
} from '../../../src/net/guard/abusers.ts'
import { HOST_LIMITS, PREFIXES_MAX } from '../../../src/net/limits.ts'

describe('the turns of abusive addresses', () => {
  it('an address counts as abusive for 30 s after its last abuse', () => {
    const { add, has } = abusers(() => 0)
    expect(has('a', 0)).toBe(false)
    add('a', 0)
    expect(has('a', ABUSE_MS - 1)).toBe(true)
    add('a', ABUSE_MS - 1)
    expect(has('a', 2 * ABUSE_MS - 2)).toBe(true)
    expect(has('a', 2 * ABUSE_MS - 1)).toBe(false)
  })

  it('an abusive address has a turn every 0.5 s, and a new abuse shortens no wait', () => {
    const { add, admit } = abusers(() => 0)
    add('a', 0)
    expect(admit('a', TURN_MS - 1)).toBe(false)
    expect(admit('a', TURN_MS)).toBe(true)
    add('a', TURN_MS + 1)
    expect(admit('a', 2 * TURN_MS - 1)).toBe(false)
    expect(admit('a', 2 * TURN_MS)).toBe(true)
  })

  it('all abusive addresses together have a turn every 0.15 s, or every 0.5 s while the event loop is busy', () => {
    let share = SPARE_SHARE
    const { add, admit } = abusers(() => share)
    for (const name of ['a', 'b', 'c', 'd']) add(name, 0)
    expect(admit('a', TURN_MS)).toBe(true)
    expect(admit('b', TURN_MS + TURN_OF_ALL_MS - 1)).toBe(false)
    expect(admit('b', TURN_MS + TURN_OF_ALL_MS)).toBe(true)
    share = SPARE_SHARE + 0.01
    expect(admit('c', TURN_MS + TURN_OF_ALL_MS + TURN_OF_ALL_BUSY_MS - 1)).toBe(false)
    expect(admit('c', TURN_MS + TURN_OF_ALL_MS + TURN_OF_ALL_BUSY_MS)).toBe(true)
  })

  it('clients of an abusive address are never refused because they come too fast', () => {
    expect(1_000 / TURN_MS).toBeLessThan(HOST_LIMITS.newPerSecond)
  })

  it('a full table forgets the address whose last abuse is oldest', () => {
    const { add, has } = abusers(() => 0)
    for (let i = 0; i <= PREFIXES_MAX; i++) add(String(i), 0)
    expect([has('0', 0), has('1', 0), has(String(PREFIXES_MAX), 0)]).toEqual([false, true, true])
  })
})
