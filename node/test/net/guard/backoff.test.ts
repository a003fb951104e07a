import { STREAMS_PER_PROTOCOL } from '@geotrace/core-wasm/transport'
import type { MessageStream } from '@libp2p/interface'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { backoff } from '../../../src/net/guard/backoff.ts'
import { BACKOFF_MAX_MS, BACKOFF_MS } from '../../../src/net/limits.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A connection that records only whether it is read. */
function connection(status = 'open') {
  const it = { status, isRead: true, pause: () => void (it.isRead = false), resume: () => void (it.isRead = true) }
  return it as typeof it & MessageStream
}

function setUp() {
  let room = 0
  const backoffs = backoff(() => room)
  return {
    pause: (one: MessageStream) => backoffs.pause(one, Date.now()),
    makeRoom: (requests: number) => void (room = requests),
    pass: (ms: number) => vi.advanceTimersByTime(ms),
  }
}

describe('a connection that received BUSY', () => {
  it('a connection is read again after four fifths of its backoff, which doubles at each early request', () => {
    const { pause, pass } = setUp()
    const one = connection()
    for (const ms of [1_000, 2_000, 4_000, 8_000, 16_000, 16_000]) {
      expect(pause(one)).toBe(ms)
      pass(0.8 * ms - 1)
      expect(one.isRead).toBe(false)
      // Frames in transit are refused too and do not lengthen the backoff.
      expect(pause(one)).toBe(ms)
      pass(1)
      expect(one.isRead).toBe(true)
    }
    expect(BACKOFF_MAX_MS).toBe(16_000)
    pass(BACKOFF_MAX_MS)
    expect(pause(one)).toBe(BACKOFF_MS)
    // A client that waits as announced gets the same backoff again.
    pass(BACKOFF_MS)
    expect(pause(one)).toBe(BACKOFF_MS)
  })

  it('the connections that waited longest are read again as soon as the host has room', () => {
    const { pause, makeRoom, pass } = setUp()
    const all = Array.from({ length: 5 }, () => connection())
    for (const one of all) pause(one)
    pass(100)
    expect(all.some(({ isRead }) => isRead)).toBe(false)
    makeRoom(2 * STREAMS_PER_PROTOCOL)
    pass(20)
    expect(all.map(({ isRead }) => isRead)).toEqual([true, true, false, false, false])
    makeRoom(0)
    // A connection that was read sooner and receives BUSY again waits again.
    expect(pause(all[0]!)).toBe(2 * BACKOFF_MS)
    pass(BACKOFF_MS)
    expect(all.map(({ isRead }) => isRead)).toEqual([false, true, true, true, true])
    makeRoom(STREAMS_PER_PROTOCOL)
    pass(20)
    expect(all[0]!.isRead).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('a closed connection is not paused, and one that cannot be resumed is aborted', () => {
    const { pause, pass } = setUp()
    const [closed, failing] = [connection('closed'), connection()]
    pause(closed)
    expect(closed.isRead).toBe(true)
    const abort = vi.fn()
    Object.assign(failing, {
      abort,
      resume() {
        throw new Error('no socket')
      },
    })
    pause(failing)
    pass(BACKOFF_MS)
    expect(abort).toHaveBeenCalledOnce()
  })
})
