import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diskSpace } from '../../src/platform/disk-space.ts'
import type { LogFields } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const KIB = 1 << 10

describe('the free space of a disk', () => {
  let dir: string
  const clock = simulatedClock(0)
  const disk = { free: 1_000 * KIB, asked: 0, isBroken: false }
  const lines: [string, LogFields | undefined][] = []
  const note = (event: string, fields?: LogFields) => void lines.push([event, fields])
  const open = () =>
    diskSpace({
      dir,
      clock,
      random: systemRandom,
      log: { info: note, warn: note, error: note },
      reserveBytes: 100 * KIB,
      ballastBytes: 20 * KIB,
      freeBytes: async () => {
        disk.asked++
        if (disk.isBroken) throw Object.assign(new Error('no'), { code: 'EIO' })
        return disk.free
      },
    })
  const hasBallast = () =>
    stat(join(dir, 'ballast')).then(
      ({ size }) => size,
      () => 0,
    )
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-space-'))
    Object.assign(disk, { free: 1_000 * KIB, asked: 0, isBroken: false })
    lines.length = 0
  })
  afterEach(() => rm(dir, { recursive: true }))
  const later = () => clock.advanceTo(clock.now() + 1_000)

  it('storing more is refused with STORAGE_FULL below the reserve and allowed again above it', async () => {
    const space = open()
    await space.assertRoom()
    disk.free = 100 * KIB - 1
    await space.assertRoom()
    await later()
    await expect(space.assertRoom()).rejects.toMatchObject({ code: 'STORAGE_FULL', data: { what: dir } })
    expect(space.room).toBe('low')
    disk.free = 100 * KIB
    await later()
    await space.assertRoom()
    expect(lines.map(([event, fields]) => [event, fields?.room])).toEqual([
      ['disk.room', 'low'],
      ['disk.room', 'enough'],
    ])
  })

  it('the ballast is removed when the disk is full and made again when there is room for it', async () => {
    const space = open()
    await space.look()
    expect(await hasBallast()).toBe(20 * KIB)
    disk.free = 10 * KIB - 1
    await later()
    await space.look()
    expect([space.room, await hasBallast()]).toEqual(['full', 0])
    disk.free = 140 * KIB
    await later()
    await space.look()
    expect([space.room, await hasBallast()]).toEqual(['enough', 0])
    disk.free = 140 * KIB + 1
    await later()
    await space.look()
    expect(await hasBallast()).toBe(20 * KIB)
  })

  it('a hundred callers of one second share one look at the disk', async () => {
    const space = open()
    await Promise.all(Array.from({ length: 100 }, () => space.assertRoom()))
    expect(disk.asked).toBe(1)
    await later()
    await space.assertRoom()
    expect(disk.asked).toBe(2)
  })

  it('a disk that cannot be asked counts as before, and the log has the code', async () => {
    const space = open()
    disk.free = 50 * KIB
    await space.look()
    disk.isBroken = true
    await later()
    await expect(space.assertRoom()).rejects.toMatchObject({ code: 'STORAGE_FULL' })
    expect(lines.at(-1)).toEqual(['disk.unknown', { code: 'EIO' }])
  })

  it('the system tells the free space of a real directory', async () => {
    const space = diskSpace({
      dir,
      clock,
      random: systemRandom,
      log: { info: note, warn: note, error: note },
      ballastBytes: 1,
      reserveBytes: 1,
    })
    await space.look()
    expect(space.freeBytes).toBeGreaterThan(0)
    expect(space.freeBytes).toBeLessThan(2 ** 60)
  })
})
