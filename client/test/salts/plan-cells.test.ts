import { EPOCH_MS, EPOCHS_PER_ANSWER_MAX, rosterInForce, SALT_WINDOW_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { neededToKeys, planCells, toBatch, type WantedKey } from '../../src/salts/plan-cells.ts'
import { fakeFederation, life, START_MS } from '../../src/testing/fake-federation.ts'

const { certified, core } = await fakeFederation({ salting: 'threshold', shards: 2 })
const CLASSES = [12, 36]
const EPOCH = timeToEpoch(START_MS)
const wanted = (shard: number, epoch: number, cell: number): WantedKey => ({
  ...{ certified, shard, epoch, untilMs: 0, cell: BigInt(cell) },
  name: `r/${shard}/${epoch}/${cell}`,
})

describe('the plan of cell requests', () => {
  it('a plan names every key once, in batches that the wire takes, for any order and repetition', () => {
    const key = fc.tuple(fc.nat(1), fc.nat(7), fc.nat(60))
    fc.assert(
      fc.property(fc.array(key, { maxLength: 500 }), (picks) => {
        const keys = picks.map(([shard, epoch, cell]) => wanted(shard, EPOCH + epoch, cell))
        const plan = planCells([...keys, ...keys], CLASSES)
        const names = plan.flatMap((request) => request.wanted.map(({ name }) => name))
        expect(new Set(names).size).toBe(names.length)
        expect(new Set(names)).toEqual(new Set(keys.map(({ name }) => name)))
        for (const { shard, wanted: asked } of plan) {
          expect(asked.every((item) => item.shard === shard)).toBe(true)
          const counts = new Map<number, number>()
          for (const { epoch } of asked) counts.set(epoch, (counts.get(epoch) ?? 0) + 1)
          expect(counts.size).toBeLessThanOrEqual(EPOCHS_PER_ANSWER_MAX)
          expect(Math.max(...counts.values())).toBeLessThanOrEqual(36)
        }
        // The number and the shape of the requests do not depend on the order, hence on nothing but the counts.
        const shape = (own: typeof plan) => own.map((request) => request.wanted.map(({ epoch }) => epoch))
        expect(shape(planCells([...keys].reverse(), CLASSES))).toEqual(shape(plan))
      }),
    )
  })

  it('a batch is the smallest class that holds the most cells of an epoch, else the largest', () => {
    expect([1, 12, 13, 36, 37, 500].map((count) => toBatch(CLASSES, count))).toEqual([12, 12, 36, 36, 36, 36])
    const of = (...counts: number[]) =>
      planCells(
        counts.flatMap((count, e) => Array.from({ length: count }, (_, i) => wanted(0, EPOCH + e, i))),
        CLASSES,
      )
    expect(of(36, 36, 5)).toHaveLength(1)
    expect(of(40, 36, 5).map((request) => request.wanted.length)).toEqual([36 + 36 + 5, 4])
    expect(of()).toEqual([])
  })

  it('an hour on foot and a stay of three hours fit one request', () => {
    for (const fixes of [
      life({ lat: 52.52, lng: 13.405 }, START_MS, 60, 0.0003),
      life({ lat: 52.52, lng: 13.405 }, START_MS, 180),
    ]) {
      const { needed } = core.fixesToRiskPoints(fixes, 'threshold')
      if (needed.salting !== 'threshold') throw new Error('expected cells')
      const keys = neededToKeys(needed, (epoch) => rosterInForce([certified], epoch), core)
      expect(
        planCells(
          keys.map((item) => item!),
          CLASSES,
        ).length,
      ).toBe(1)
    }
  })

  it('the key of a cell lives until the salt window of its epoch ends, and times without a roster have none', () => {
    const keysAt = (at: number) => {
      const { needed } = core.fixesToRiskPoints([{ lat: 52.52, lng: 13.4, at }], 'threshold')
      if (needed.salting !== 'threshold') throw new Error('expected cells')
      return neededToKeys(needed, (epoch) => rosterInForce([certified], epoch), core)
    }
    const keys = keysAt(START_MS)
    expect(keys).toHaveLength(6)
    expect(new Set(keys.map((item) => item!.untilMs))).toEqual(
      new Set([EPOCH + 1, EPOCH + 2].map((epoch) => epoch * EPOCH_MS + SALT_WINDOW_MS)),
    )
    for (const days of [-1, 90]) expect(keysAt(START_MS + days * 86_400_000)).toEqual(Array(6).fill(undefined))
  })
})
