import { DAY_MS, timeToEpoch } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { dayToEpochs, dayToFirstEpoch, epochToDay, timeToDay } from '../../../src/central/store/day.ts'

describe('UTC days', () => {
  it('a time and its epoch have the same day, from the first to the last millisecond of the day', () => {
    for (const day of [0, 1, 20_650]) {
      for (const atMs of [day * DAY_MS, (day + 1) * DAY_MS - 1]) {
        expect(timeToDay(atMs)).toBe(day)
        expect(epochToDay(timeToEpoch(atMs))).toBe(day)
      }
    }
  })

  it('a day has 18 epochs, which follow the epochs of the day before', () => {
    const epochs = dayToEpochs(100)
    expect(epochs).toHaveLength(18)
    expect(epochs[0]).toBe(dayToFirstEpoch(100))
    expect(dayToEpochs(99).at(-1)).toBe(epochs[0]! - 1)
    expect(epochs.every((epoch) => epochToDay(epoch) === 100)).toBe(true)
  })
})
