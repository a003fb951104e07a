import { DEPOSIT_WINDOW_MS, EPOCH_MS, EPOCH_OPENS_BEFORE_MS } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { groupToState } from '../../../src/central/sync/admission.ts'
import { world } from '../world.ts'

describe('the admission of groups', () => {
  it('an epoch is open, too old or too new to the millisecond', () => {
    const epoch = 1_000
    const [start, end] = [epoch * EPOCH_MS, (epoch + 1) * EPOCH_MS]
    expect(groupToState(epoch, start - EPOCH_OPENS_BEFORE_MS, 0)).toBe('open')
    expect(groupToState(epoch, start - EPOCH_OPENS_BEFORE_MS - 1, 0)).toBe('too-new')
    expect(groupToState(epoch, end + DEPOSIT_WINDOW_MS, 0)).toBe('open')
    expect(groupToState(epoch, end + DEPOSIT_WINDOW_MS + 1, 0)).toBe('too-old')
    expect(groupToState(epoch, end, epoch)).toBe('open')
    expect(groupToState(epoch, end, epoch + 1)).toBe('too-old')
  })

  it('a sync is stored for the epochs inside the window and refused for each epoch outside', async () => {
    const w = await world()
    const e = w.epoch()
    const reply = await w
      .device()
      .sync({ rows: { [e - 40]: [1], [e - 30]: [2], [e]: [3], [e + 1]: [4], [e + 3]: [5] } })
    expect(reply.refused.map(({ epoch, reason }) => [epoch - e, reason])).toEqual([
      [-40, 'too-old'],
      [3, 'too-new'],
    ])
    expect((await w.store.statistics()).days.reduce((sum, { rows }) => sum + rows, 0)).toBe(3)
    const pins = await w.store.pins()
    expect(pins.map(({ epoch }) => epoch - e)).toEqual([-30, 0, 1])
    expect(w.published).toEqual(pins)
  })
})
