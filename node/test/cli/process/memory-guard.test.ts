import { simulatedClock } from '@geotrace/core-wasm'
import { expect, it } from 'vitest'
import { memoryGuard } from '../../../src/cli/process/memory-guard.ts'
import { silent } from '../../../src/platform/log.ts'

it('the memory guard sheds near the limit, recovers below it, and stops after three checks in a row above it', async () => {
  const clock = simulatedClock(0)
  let rss = 100
  let stops = 0
  const guard = memoryGuard({
    maxBytes: 200,
    shedBytes: 180,
    rss: () => rss,
    clock,
    log: silent,
    stop: () => stops++,
  })
  const pass = (bytes: number) => {
    rss = bytes
    return clock.advanceTo(clock.now() + 2_000)
  }
  await pass(180)
  expect(guard.isShedding).toBe(false)
  await pass(181)
  expect(guard.isShedding).toBe(true)
  await pass(201)
  await pass(201)
  await pass(200)
  expect(stops).toBe(0)
  await pass(100)
  expect(guard.isShedding).toBe(false)
  for (let i = 0; i < 2; i++) await pass(300)
  expect(stops).toBe(0)
  await pass(300)
  expect(stops).toBe(1)
  await pass(300)
  expect(stops).toBe(1)
})
