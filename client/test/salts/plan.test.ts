import type { NeededSecrets } from '@geotrace/core-wasm'
import {
  blockToEpoch,
  EPOCHS_PER_ANSWER_MAX,
  encodeSaltRequest,
  epochToBlocks,
  hashToRosterName,
  rosterInForce,
} from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { neededToSalts, planRequests, type WantedSalt } from '../../src/salts/plan.ts'
import { fakeFederation, life, START_MS } from '../../src/testing/fake-federation.ts'

const { certified, core } = await fakeFederation()
const MINUTE = 60_000

function wanted(shard: number, size: number, n: number): WantedSalt {
  return { certified, shard, epoch: blockToEpoch(size, n), untilMs: 0, size, n, name: `r/${shard}/${size}/${n}` }
}

describe('the plan of salt requests', () => {
  it('a plan names every salt exactly once, in requests that the wire takes, for any order and repetition', () => {
    const block = fc.tuple(fc.integer({ min: 0, max: 1 }), fc.constantFrom(5, 10, 20, 40, 80), fc.nat(60))
    fc.assert(
      fc.property(fc.array(block, { maxLength: 400 }), (blocks) => {
        const base = Math.floor(START_MS / MINUTE)
        const salts = blocks.map(([shard, size, n]) => wanted(shard, size, Math.floor(base / size) + n))
        const plan = planRequests([...salts, ...salts])
        const names = plan.flatMap((request) => request.wanted.map(({ name }) => name))
        expect(new Set(names).size).toBe(names.length)
        expect(new Set(names)).toEqual(new Set(salts.map(({ name }) => name)))
        for (const { shard, wanted: asked } of plan) {
          encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks: [...asked] })
          expect(asked.every((salt) => salt.shard === shard)).toBe(true)
          expect(new Set(asked.map(({ size, n }) => blockToEpoch(size, n))).size).toBeLessThanOrEqual(
            EPOCHS_PER_ANSWER_MAX,
          )
        }
        expect(planRequests([...salts].reverse()).map((request) => request.wanted.map(({ name }) => name))).toEqual(
          plan.map((request) => request.wanted.map(({ name }) => name)),
        )
      }),
    )
  })

  it('a plan splits requests at ninety blocks', () => {
    const epoch = blockToEpoch(5, Math.floor(START_MS / MINUTE / 5))
    const salts = [0, 1, 2].flatMap((i) => epochToBlocks(epoch + i).map(({ size, n }) => wanted(0, size, n)))
    expect(salts.length).toBe(93)
    expect(planRequests(salts).map(({ wanted: asked }) => asked.length)).toEqual([90, 3])
    expect(planRequests(salts.slice(3)).map(({ wanted: asked }) => asked.length)).toEqual([90])
    expect(planRequests([])).toEqual([])
  })

  it('one request covers three hours of fixes in one shard, at every alignment', () => {
    for (let minute = 0; minute < 80; minute++) {
      const fixes = life({ lat: 52.52, lng: 13.4 }, START_MS + minute * MINUTE, 180)
      const { needed } = core.fixesToRiskPoints(fixes, 'plain')
      const salts = neededToSalts(
        needed as Extract<NeededSecrets, { salting: 'plain' }>,
        (epoch) => rosterInForce([certified], epoch),
        core.regionToShard,
      )
      expect(planRequests(salts as WantedSalt[]).length).toBe(1)
    }
  })

  it('times before the first roster and after its reserve have no salt', () => {
    for (const at of [START_MS - 24 * 60 * MINUTE, START_MS + 90 * 24 * 60 * MINUTE]) {
      const { needed } = core.fixesToRiskPoints([{ lat: 52.52, lng: 13.4, at }], 'plain')
      const salts = neededToSalts(
        needed as Extract<NeededSecrets, { salting: 'plain' }>,
        (epoch) => rosterInForce([certified], epoch),
        core.regionToShard,
      )
      expect(salts.every((salt) => salt === undefined)).toBe(true)
    }
  })
})
