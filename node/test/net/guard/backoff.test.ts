import type { MessageStream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoff } from '../../../src/net/guard/backoff.ts'
import { BACKOFF_MAX_MS, BACKOFF_MS, STREAMS_PER_PROTOCOL } from '../../../src/net/limits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A connection that only knows whether it is read. */
function connection(status = 'open') {
  const it = { status, isRead: true, pause: () => void (it.isRead = false), resume: () => void (it.isRead = true) }
  return it as typeof it & MessageStream
}

function setUp() {
  let room = 0
  const held = backoff(() => room)
  return {
    hold: (one: MessageStream) => held.pause(one, Date.now()),
    makeRoom: (requests: number) => void (room = requests),
    pass: (ms: number) => vi.advanceTimersByTime(ms),
  }
}

describe('a connection that was told BUSY', () => {
  it('is not read until it may ask again, and longer each time that it asks before', () => {
    const { hold, pass } = setUp()
    const one = connection()
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 16_000]) {
      expect(hold(one)).toBe(ms)
      pass(0.8 * ms - 1)
      expect(one.isRead).toBe(false)
      // Frames that were on their way are refused too, and lengthen nothing.
      expect(hold(one)).toBe(ms)
      pass(1)
      expect(one.isRead).toBe(true)
    }
    expect(BACKOFF_MAX_MS).toBe(16_000)
    pass(BACKOFF_MAX_MS)
    expect(hold(one)).toBe(BACKOFF_MS)
    // Who asks when it was told to is told the same again.
    pass(BACKOFF_MS)
    expect(hold(one)).toBe(BACKOFF_MS)
  })

  it('is read again as soon as there is room, those first that have waited longest', () => {
    const { hold, makeRoom, pass } = setUp()
    const all = Array.from({ length: 5 }, () => connection())
    for (const one of all) hold(one)
    pass(100)
    expect(all.some(({ isRead }) => isRead)).toBe(false)
    makeRoom(2 * STREAMS_PER_PROTOCOL)
    pass(20)
    expect(all.map(({ isRead }) => isRead)).toEqual([true, true, false, false, false])
    makeRoom(0)
    // One that was read again sooner and is told so again waits again.
    expect(hold(all[0]!)).toBe(2 * BACKOFF_MS)
    pass(BACKOFF_MS)
    expect(all.map(({ isRead }) => isRead)).toEqual([false, true, true, true, true])
    makeRoom(STREAMS_PER_PROTOCOL)
    pass(20)
    expect(all[0]!.isRead).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('may be gone by then', () => {
    const { hold, pass } = setUp()
    const [closed, failing] = [connection('closed'), connection()]
    hold(closed)
    expect(closed.isRead).toBe(true)
    const abort = vi.fn()
    Object.assign(failing, {
      abort,
      resume() {
        throw new Error('no socket')
      },
    })
    hold(failing)
    pass(BACKOFF_MS)
    expect(abort).toHaveBeenCalledOnce()
  })
})
