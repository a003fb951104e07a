import { DEPOSIT_WINDOW_MS, EPOCH_MS, EPOCH_OPENS_BEFORE_MS, LAG_NEXT, type Row } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { memoryStore } from '../../../src/central/store/memory-store.ts'
import { groupToState } from '../../../src/central/sync/admission.ts'
import { row } from '../store/sample.ts'
import { RELAY, world } from '../world.ts'

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

  it('a sync whose rows are stored already causes no computation, and one with a new row or lag does', async () => {
    const w = await world()
    const e = w.epoch()
    const [reporter, contact] = [w.device(), w.device()]
    const [code] = (await w.codes.issue({ count: 1, days: 1 })).codes
    await contact.sync({ rows: { [e]: ['met'] } })
    await reporter.sync({ rows: { [e]: ['met'] }, code: code! })
    const waitingAfter = async (...rows: (string | Row)[]) => {
      await w.risk.settled()
      await w.service.answer(contact.frame({ rows: { [e]: rows } }), RELAY)
      return w.risk.status.waiting
    }
    expect(await waitingAfter('met')).toBe(0)
    expect(await waitingAfter(row('met', LAG_NEXT))).toBe(1)
    expect(await waitingAfter(row('met', LAG_NEXT))).toBe(0)
    expect(await waitingAfter('met', 'new')).toBe(1)
  })

  it('rows of a deposit that failed half way are looked at, although their repetition adds nothing', async () => {
    const store = memoryStore()
    let isFailing = false
    const w = await world({
      store: {
        ...store,
        async deposit(deposit) {
          const outcome = await store.deposit({ ...deposit, ...(isFailing && { syncId: new Uint8Array(16) }) })
          if (isFailing) throw new Error('the acknowledgement failed')
          return outcome
        },
      },
    })
    const e = w.epoch()
    const [reporter, contact] = [w.device(), w.device()]
    const [code] = (await w.codes.issue({ count: 1, days: 1 })).codes
    await reporter.sync({ rows: { [e]: ['met'] }, code: code! })
    await w.risk.settled()
    isFailing = true
    const frame = contact.frame({ rows: { [e]: ['met'] } })
    await expect(w.service.answer(frame, RELAY)).rejects.toThrow('the acknowledgement failed')
    isFailing = false
    await w.service.answer(frame, RELAY)
    expect((await contact.sync()).marks).toHaveLength(1)
  })
})
