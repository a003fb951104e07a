/**
 * The faults of devices, in the same list form as node/src/testing/simulated/faults.ts. CONTRIBUTING "Simulation".
 */
import { MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { FaultKind } from '@geotrace/node/testing'
import type { SimulatedDevice } from './device.ts'

const SECOND_MS = 1_000

export function deviceFaults(devices: readonly SimulatedDevice[]): FaultKind[] {
  const atMost = (healMs: number, nowMs: number, ms: number): number => Math.max(0, Math.min(ms, healMs - nowMs))
  return [
    {
      // The first device meets no other. Otherwise its erasure would also remove marks of others, which they must keep.
      name: 'device-erases',
      weight: 1,
      strike({ federation: { scheduler }, random }) {
        // Most erasures come in the middle of a sync. The central peer may then receive the sync twice, or late.
        if (random.chance(0.7)) void devices[0]?.sync()
        scheduler.after(random.between(0, 3 * SECOND_MS), () => devices[0]?.erase())
      },
    },
    {
      // Phones kill apps often, and mostly while an app works. So the kill follows the start of a sync.
      name: 'device-killed',
      weight: 6,
      strike({ federation: { scheduler }, random, healMs }) {
        const device = random.pick(devices)
        if (random.chance(0.7)) void device.sync()
        scheduler.after(random.between(1, 4 * SECOND_MS), () => {
          device.kill()
          const backMs = random.between(SECOND_MS, 20 * MINUTE_MS)
          scheduler.after(atMost(healMs, scheduler.nowMs, backMs), () => device.start())
        })
      },
    },
    {
      name: 'device-offline',
      weight: 3,
      strike({ federation: { scheduler, network }, random, healMs }) {
        const { name } = random.pick(devices)
        const cut = (from: string, to: string): boolean => from === name || to === name
        network.cuts.add(cut)
        const ms = random.between(MINUTE_MS, 4 * 60 * MINUTE_MS)
        scheduler.after(atMost(healMs, scheduler.nowMs, ms), () => void network.cuts.delete(cut))
      },
    },
    {
      name: 'device-clock-off',
      weight: 2,
      strike({ federation: { scheduler }, random, healMs }) {
        const { machine } = random.pick(devices)
        const offMs = Math.round(random.between(-10 * MINUTE_MS, 10 * MINUTE_MS))
        machine.offsetMs += offMs
        const ms = random.between(MINUTE_MS, 60 * MINUTE_MS)
        scheduler.after(atMost(healMs, scheduler.nowMs, ms), () => {
          // Take back this fault's share only, because another fault may have moved the clock meanwhile.
          machine.offsetMs -= offMs
        })
      },
    },
    {
      name: 'device-disk-slow',
      weight: 1,
      strike({ federation: { scheduler }, random, healMs }) {
        const { machine } = random.pick(devices)
        machine.slowMs = random.between(50, 2 * SECOND_MS)
        const ms = random.between(MINUTE_MS, 30 * MINUTE_MS)
        scheduler.after(atMost(healMs, scheduler.nowMs, ms), () => {
          machine.slowMs = 0
        })
      },
    },
  ]
}
