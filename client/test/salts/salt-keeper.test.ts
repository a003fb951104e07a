import { BLOCK_SIZES_MIN, blockToState, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { plainSalting } from '../../src/salts/plain-salting.ts'
import { saltKeeper } from '../../src/salts/salt-keeper.ts'
import { fakeFederation, START_MS } from '../../src/testing/fake-federation.ts'

const { certified, core } = await fakeFederation()

describe('the keeper of secrets', () => {
  it('a salt stays exactly as long as a node gives it, and is wiped then', () => {
    const points = core.fixesToRiskPoints([{ lat: 52.52, lng: 13.4, at: START_MS }], 'plain')
    const wanted = plainSalting.wanted(points.needed, () => certified, core).map((item) => item!)
    const secrets = new Map(wanted.map(({ name }) => [name, new Uint8Array(32).fill(7)]))
    const keeper = saltKeeper()
    for (const item of wanted) keeper.keep(item, secrets.get(item.name)!)
    expect(new Set(wanted.map(({ size }) => size)).size).toBe(BLOCK_SIZES_MIN.length)
    for (let nowMs = START_MS; nowMs < START_MS + 400 * MINUTE_MS; nowMs += MINUTE_MS) {
      keeper.dropOld(nowMs)
      for (const { name, size, n } of wanted) {
        const isGone = blockToState(size, n, nowMs) === 'too-old'
        expect(keeper.get(name) === undefined).toBe(isGone)
        expect(secrets.get(name)!.every((byte) => byte === 0)).toBe(isGone)
      }
    }
  })

  it('all secrets are wiped at once', () => {
    const [a, b] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const keeper = saltKeeper()
    const item = { certified, shard: 0, epoch: 1, untilMs: START_MS }
    keeper.keep({ ...item, name: 'a' }, a)
    keeper.keep({ ...item, name: 'b' }, b)
    keeper.dropAll()
    expect([...a, ...b].every((byte) => byte === 0)).toBe(true)
    expect([keeper.get('a'), keeper.get('b')]).toEqual([undefined, undefined])
  })
})
