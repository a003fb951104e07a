/** A federation with a spread on loopback: its members announce the keys of the next period by themselves. */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { bytesToHex, DAY_MS, isValidSpreadKey, MINUTE_MS, manifestToId } from '@geotrace/core-wasm/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { type LocalFederation, startFederation } from '../../src/testing/index.ts'

const DAY = 20_790
const spread = { areas: [7], resolution: 5, periodDays: 1, minimum: 20, epsilon: 1_000 }

describe('a federation with a spread', () => {
  let federation: LocalFederation | undefined
  let dir: string
  afterEach(async () => {
    await federation?.stop()
    await rm(dir, { recursive: true, force: true })
  })

  it('the two drawn members announce their keys, every peer has them, and only their disks have the secrets', async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-spread-'))
    const clock = simulatedClock(DAY * DAY_MS + 30 * MINUTE_MS)
    const running = await startFederation({ dir, clock, parameters: { spread } })
    federation = running
    await clock.advanceTo(clock.now() + 6 * MINUTE_MS)
    const tables = [...running.saltNodes, running.central].map((peer) => peer.membership()!.pool.spreads)
    const rule = tables[0]!.ruleOf(DAY + 1)!
    const keysAt = (i: number) => [rule.mixer, rule.teller].map(({ key }) => tables[i]!.keyOf(DAY + 1, key))
    await expect
      .poll(() => tables.every((_, i) => keysAt(i).every((key) => key !== undefined)), { timeout: 60_000 })
      .toBe(true)
    const namesAt = (i: number) => keysAt(i).map((key) => bytesToHex(key!.slipKey))
    for (const [i] of tables.entries()) expect(namesAt(i)).toEqual(namesAt(0))
    for (const key of keysAt(0)) expect(isValidSpreadKey(key!, manifestToId(running.manifest))).toBe(true)
    const files = await Promise.all(
      running.manifest.members.map(({ operator }) => readdir(join(dir, operator, 'spread')).catch((): string[] => [])),
    )
    const drawn = [rule.mixer, rule.teller].map(({ operator }) => rule.certified.roster.operators[operator]!.name)
    const holders = running.manifest.members.filter((_, i) => files[i]!.includes(`key-${DAY + 1}`))
    expect(holders.map(({ operator }) => operator).sort()).toEqual(drawn.sort())
  }, 600_000)
})
