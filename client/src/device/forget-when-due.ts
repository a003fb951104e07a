/**
 * When the device deletes what is too old (forget.ts): at every opening, and hourly while fixes are recorded. The code that
 * deletes is loaded when it is due; a page that cannot load it tries again later. Entries are hidden in any case.
 */
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import type { Device } from './device.ts'

/** A tracer that records for weeks without a restart keeps the retention too. */
const FORGET_EVERY_MS = HOUR_MS

/** Call with the device's lock held. */
export async function forgetWhenDue(device: Device): Promise<void> {
  // Also when the clock went back.
  if (Math.abs(device.clock.now() - device.forgot.atMs) < FORGET_EVERY_MS) return
  const code = await import('./forget.ts').catch(() => undefined)
  await code?.forgetOld(device)
}

/** Unix ms. Entries of earlier blocks and epochs are not shown. */
export function toHideBefore({ clock, retentionMs }: Pick<Device, 'clock' | 'retentionMs'>): number {
  return clock.now() - retentionMs
}
