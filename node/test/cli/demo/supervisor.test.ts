import { isFederationError } from '@geotrace/core-wasm/wire'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { RESTART_MS, supervisor, type Watched } from '../../../src/cli/demo/supervisor.ts'
import { captured } from '../captured-output.mjs'

/** A peer whose process the test ends. */
const peer = (name: string, isServing = false) => ({
  name,
  pid: 1,
  isServing,
  restarts: 0,
  restart() {
    this.restarts++
  },
  logEnd: () => 'the last line',
})
const watched = (item: ReturnType<typeof peer>): Watched => item

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

describe('the supervisor of the demo', () => {
  it('a peer that ends is started again after ten seconds, as often as it ends, and not after the stop', async () => {
    const { out, stdout } = captured()
    const keeper = supervisor(out)
    const ash = peer('ash')
    for (let count = 1; count <= 3; count++) {
      keeper.ended(watched(ash))
      await vi.advanceTimersByTimeAsync(RESTART_MS - 1)
      expect(ash.restarts).toBe(count - 1)
      await vi.advanceTimersByTimeAsync(1)
      expect(ash.restarts).toBe(count)
    }
    expect(stdout.slice(0, 2)).toEqual(['ash has ended and starts again in 10 s', 'ash is started again'])
    keeper.ended(watched(ash))
    keeper.stop()
    keeper.ended(watched(ash))
    await vi.advanceTimersByTimeAsync(10 * RESTART_MS)
    expect(ash.restarts).toBe(3)
  })

  it('the demo waits for slow peers and names those that are missing', async () => {
    const { out, stdout } = captured()
    const keeper = supervisor(out)
    const [ash, birch] = [peer('ash', true), peer('birch')]
    let isDone = false
    const waiting = keeper.untilServing([ash, birch].map(watched)).then(() => (isDone = true))
    await vi.advanceTimersByTimeAsync(61_000)
    expect(isDone).toBe(false)
    expect(stdout).toEqual([
      'Waiting since 30 s for 1 peer to serve: birch. On a busy machine this takes minutes; a lower --speed needs less CPU.',
      'Waiting since 60 s for 1 peer to serve: birch. On a busy machine this takes minutes; a lower --speed needs less CPU.',
    ])
    birch.isServing = true
    await vi.advanceTimersByTimeAsync(1_000)
    await waiting
  })

  it('a peer that ends three times before it serves, and one that never serves, end the demo with the log', async () => {
    for (const ends of [3, 0]) {
      const keeper = supervisor(captured().out)
      const ash = peer('ash')
      for (let count = 0; count < ends; count++) keeper.ended(watched(ash))
      const failure = keeper.untilServing([watched(ash)]).catch((error: unknown) => error)
      await vi.advanceTimersByTimeAsync(16 * 60_000)
      const error = await failure
      expect(isFederationError(error, 'PEER_UNREACHABLE')).toBe(true)
      expect((error as Error).message).toMatch(/^ash (ended 3 times|does not serve).*the last line$/)
    }
  })
})
