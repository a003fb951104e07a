import { expect, it } from 'vitest'
import type { Hint } from '../../../src/admin/node-status.ts'
import { hintLog, TICKS_PER_LOOK } from '../../../src/cli/salt/hint-log.ts'
import { silent } from '../../../src/platform/log.ts'

it('the hint log writes a hint once while it lasts, and again when it comes back', () => {
  const logged: unknown[] = []
  let hints: Hint[] = []
  let reads = 0
  const tick = hintLog(
    () => {
      reads++
      return hints
    },
    { ...silent, warn: (_event, fields) => logged.push(fields?.what) },
  )
  const look = () => {
    for (let i = 0; i < TICKS_PER_LOOK; i++) tick()
  }
  const full = (what: string): Hint => ({ level: 'warn', what, next: 'free some memory' })
  look()
  hints = [full('181 MiB')]
  look()
  hints = [full('190 MiB')]
  look()
  expect(logged).toEqual(['181 MiB'])
  hints = []
  look()
  hints = [full('185 MiB')]
  look()
  expect(logged).toEqual(['181 MiB', '185 MiB'])
  expect(reads).toBe(5)
})
