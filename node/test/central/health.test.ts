import { describe, expect, it } from 'vitest'
import { centralHealth } from '../../src/central/health.ts'
import type { StoreCondition } from '../../src/central/store/central-store.ts'
import type { StoreRoom } from '../../src/central/store-room.ts'
import type { Room } from '../../src/platform/disk-space.ts'
import type { LogFields } from '../../src/platform/log.ts'

describe('the health of a central peer', () => {
  it('the health names the fault of the store first and of the disk second, and each change is logged once', async () => {
    let condition: StoreCondition = { condition: 'sound', parts: [] }
    let disk: Room = 'enough'
    let isFull = false
    const room: StoreRoom = {
      assertForNewUser: async () => {},
      assertForDeposit: async () => {},
      look: async () => {},
      isFull: async () => isFull,
      get disk() {
        return disk
      },
    }
    const lines: [string, LogFields | undefined][] = []
    const note = (event: string, fields?: LogFields) => void lines.push([event, fields])
    const log = { info: note, warn: note, error: note }
    const health = centralHealth({ store: { condition: () => condition }, room, log })
    expect(await health.look('joining')).toBe('joining')
    expect(await health.look('serving')).toBe('serving')
    isFull = true
    expect(await health.look('serving')).toBe('store-full')
    disk = 'low'
    expect(await health.look('serving')).toBe('disk-low')
    disk = 'full'
    expect(await health.look('serving')).toBe('disk-full')
    disk = 'enough'
    isFull = false
    for (const [kind, health_] of [
      ['full', 'disk-full'],
      ['failed', 'disk-failed'],
      ['damaged', 'store-damaged'],
    ] as const) {
      condition = { condition: kind, parts: ['day 7', 'meta'] }
      expect(await health.look('serving')).toBe(health_)
      expect(await health.look('serving')).toBe(health_)
    }
    condition = { condition: 'sound', parts: [] }
    expect(await health.look('serving')).toBe('serving')
    expect(lines.map(([, fields]) => fields?.condition)).toEqual(['full', 'failed', 'damaged', 'sound'])
  })
})
