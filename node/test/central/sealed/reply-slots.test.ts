import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { GROUP_MS, REPLY_SLOT_MS, replySlots } from '../../../src/central/sealed/reply-slots.ts'

describe('reply slots', () => {
  /** Runs a task that takes `workMs` and resolves with the time of its reply. */
  const replyAfter = async (workMs: number, isFailing = false): Promise<number> => {
    const clock = simulatedClock(0)
    const slots = replySlots(clock)
    const work = () =>
      new Promise<void>((resolve, reject) => {
        if (workMs === 0) isFailing ? reject(new Error('failed')) : resolve()
        else clock.setTimer(() => (isFailing ? reject(new Error('failed')) : resolve()), workMs)
      })
    let atMs: number | undefined
    const note = () => {
      atMs = clock.now()
    }
    const reply = slots.run(work)
    reply.then(note, note)
    for (let now = 0; atMs === undefined; now++) await clock.advanceTo(now)
    if (isFailing) await expect(reply).rejects.toThrow('failed')
    return atMs
  }

  it('a reply leaves at the end of the slot in which its work ends, whatever the work took and also when it failed', async () => {
    for (const isFailing of [false, true]) {
      for (const workMs of [0, 1, REPLY_SLOT_MS / 2, REPLY_SLOT_MS - 1])
        expect(await replyAfter(workMs, isFailing)).toBe(REPLY_SLOT_MS)
      expect(await replyAfter(REPLY_SLOT_MS + 1, isFailing)).toBe(2 * REPLY_SLOT_MS)
      expect(await replyAfter(3 * REPLY_SLOT_MS - 1, isFailing)).toBe(3 * REPLY_SLOT_MS)
    }
  })

  it('requests that arrive together wait for the slowest of them, at most eight slots, and those that come later do not', async () => {
    for (const [slowMs, slots] of [
      [REPLY_SLOT_MS + GROUP_MS, 2],
      [3 * REPLY_SLOT_MS - 1, 3],
      [40 * REPLY_SLOT_MS, 8],
    ] as const) {
      const clock = simulatedClock(0)
      const subject = replySlots(clock)
      const times: Record<string, number> = {}
      const send = (name: string, workMs: number) =>
        subject
          .run(() => new Promise<void>((resolve) => void clock.setTimer(resolve, workMs)))
          .then(() => {
            times[name] = clock.now()
          })
      const all = [send('first', 1), send('slow', slowMs)]
      await clock.advanceTo(GROUP_MS - 1)
      all.push(send('second', 1))
      await clock.advanceTo(GROUP_MS)
      all.push(send('later', 1))
      for (let now = GROUP_MS; now <= 41 * REPLY_SLOT_MS; now++) await clock.advanceTo(now)
      await Promise.all(all)
      expect(times).toEqual({
        first: slots * REPLY_SLOT_MS,
        slow: Math.ceil(slowMs / REPLY_SLOT_MS) * REPLY_SLOT_MS,
        second: GROUP_MS - 1 + slots * REPLY_SLOT_MS,
        later: GROUP_MS + REPLY_SLOT_MS,
      })
    }
  })

  it('a request beyond the bound is BUSY at once, and a reply that left makes room', async () => {
    const clock = simulatedClock(0)
    const slots = replySlots(clock, 2)
    const run = () => slots.run(async () => 'reply')
    const first = [run(), run()]
    await expect(run()).rejects.toMatchObject({ code: 'BUSY', data: { retryAfterMs: REPLY_SLOT_MS } })
    await clock.advanceTo(REPLY_SLOT_MS)
    expect(await Promise.all(first)).toEqual(['reply', 'reply'])
    const next = run()
    await clock.advanceTo(2 * REPLY_SLOT_MS)
    expect(await next).toBe('reply')
  })
})
