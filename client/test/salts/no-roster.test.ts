/** A federation that certifies no roster any more: devices use the last roster to its end, then wait, and count any loss. */
import { EPOCH_MS, MINUTE_MS, SALT_PROTOCOL, sheetEpochs, timeToEpoch } from '@geotrace/core-wasm/wire'
import { expect, it } from 'vitest'
import { fakeFederation, life, openTracer } from '../../src/testing/index.ts'
import { CAFE, recordAll } from '../fixture.ts'

it('a roster is used to the last epoch of its reserve, and fixes after it wait for the next roster', async () => {
  const federation = await fakeFederation()
  const { clock, certified } = federation
  const tracer = await openTracer(federation)
  let asked = 0
  federation.intercept = (_peer, protocol, frame, serve) => {
    if (protocol.id === SALT_PROTOCOL.id) asked++
    return serve(frame)
  }
  const live = async (toMs: number) => {
    await clock.advanceTo(toMs)
    await recordAll(tracer, life(CAFE, toMs, 30))
    asked = 0
    return tracer.sync()
  }
  // Well inside an epoch, so that the next block of the longest size lies in this epoch or the next.
  const endEpoch = certified.roster.firstEpoch + sheetEpochs(certified.roster)
  expect(timeToEpoch(clock.now())).toBeLessThan(endEpoch - 2)
  expect(await live((endEpoch - 1) * EPOCH_MS - MINUTE_MS)).toMatchObject({ fixesHashed: 6, fixesDeferred: 0 })

  // Now the next block of every fix lies beyond the last sheet. No salts are requested for half of a fix.
  const beyond = await live(endEpoch * EPOCH_MS + 35 * MINUTE_MS)
  expect(beyond).toMatchObject({ fixesHashed: 0, fixesDeferred: 6, fixesLost: 0, saltRequests: 0 })
  expect(asked).toBe(0)
  expect(beyond.next?.dueAt).toBeGreaterThan(clock.now())

  // The next roster comes within the salt window, so nothing is lost.
  federation.follow()
  expect(await tracer.sync()).toMatchObject({ fixesHashed: 6, fixesDeferred: 0, fixesLost: 0 })
})
