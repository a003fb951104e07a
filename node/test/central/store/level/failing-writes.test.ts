import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { describe, expect, it } from 'vitest'
import { canMount, runOnSmallDisk } from '../../../../../scripts/small-disk.js'
import { levelStore } from '../../../../src/central/store/level/level-store.ts'
import { systemRandom } from '../../../../src/platform/random.ts'
import { failingWrites } from './failing-writes.ts'
import { TornDisk } from './torn-disk.ts'

failingWrites('a level store', async (init) => {
  const root = await mkdtemp(join(tmpdir(), 'geotrace-failing-'))
  const dir = join(root, 'store')
  const clock = simulatedClock(0)
  const disk = Object.assign(new TornDisk(), init)
  return {
    open: () => levelStore({ dir, random: systemRandom, clock, open: disk.open }),
    wait: () => clock.advanceTo(clock.now() + 1_000),
    writes: () => disk.writes,
    remove: () => rm(root, { recursive: true }),
  }
})

describe('the node on a disk that is full for a while', () => {
  const title = 'the central store, the quota table and the files lose nothing that they acknowledged'
  it.skipIf(!canMount())(
    canMount() ? title : `${title} (skipped: this machine mounts no tmpfs in a user namespace)`,
    async () => {
      const results: Record<string, { failures: number; codes: string[]; acknowledged: number; lost: number }> =
        await runOnSmallDisk('/node/test/central/store/level/full-disk-child.ts', '24m')
      expect(Object.keys(results)).toEqual([
        'central store',
        'quota table',
        'file records',
        'audit log',
        'erased users',
      ])
      for (const [name, { failures, codes, ...rest }] of Object.entries(results)) {
        expect(failures, name).toBeGreaterThan(20)
        expect(codes, name).toContain('STORAGE_FULL')
        expect(codes.filter((code) => code !== 'STORAGE_FULL' && code !== 'BUSY')).toEqual([])
        expect(rest, name).toEqual({ acknowledged: 300, lost: 0 })
      }
    },
  )
})
