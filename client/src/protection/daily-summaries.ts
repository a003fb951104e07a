/**
 * Each of the last days in numbers: how much of it can be compared, and what was found. README "Exposures". A day without
 * compared minutes and without exposures says nothing: it is not a day without risk.
 */
import { DAY_MS, EPOCH_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import type { Device } from '../device/device.ts'
import type { Certainty, Exposure } from '../exposures/exposure.ts'
import type { ComparedEpoch } from './protection.ts'
import { comparedEpochs } from './situation.ts'

export interface DailySummary {
  /** The day's midnight, Unix ms. */
  from: number
  /** Minutes of which the central peer acknowledged hashes. An epoch counts for the day in which it begins. */
  comparedMinutes: number
  /** Exposures that begin on this day and that the user did not dismiss; how long they lasted together. */
  exposures: number
  minutes: number
  /** The lowest degree, and the highest certainty within it. */
  degree: number | undefined
  certainty: Certainty | undefined
}

const ORDER: readonly Certainty[] = ['low', 'medium', 'high']

/** Call with the device's lock held. */
export async function readDailySummaries(
  device: Device,
  exposures: readonly Exposure[],
  offsetMin: number,
): Promise<DailySummary[]> {
  const days = Math.ceil(device.retentionMs / DAY_MS)
  return toDailySummaries(device.clock.now(), days, offsetMin, await comparedEpochs(device), exposures)
}

/** The last `days` days, oldest first, of a time zone `offsetMin` minutes ahead of UTC. Pure. */
export function toDailySummaries(
  nowMs: number,
  days: number,
  offsetMin: number,
  compared: readonly ComparedEpoch[],
  exposures: readonly Exposure[],
): DailySummary[] {
  const toDay = (atMs: number): number => Math.floor((atMs + offsetMin * MINUTE_MS) / DAY_MS)
  const counted = exposures.filter(({ verdict }) => verdict !== 'dismissed')
  return Array.from({ length: days }, (_, i) => {
    const day = toDay(nowMs) - (days - 1 - i)
    const own = counted.filter(({ from }) => toDay(from) === day)
    const degree = own.length === 0 ? undefined : Math.min(...own.map((exposure) => exposure.degree))
    const sure = own.filter((exposure) => exposure.degree === degree).map(({ certainty }) => ORDER.indexOf(certainty))
    return {
      from: day * DAY_MS - offsetMin * MINUTE_MS,
      comparedMinutes: compared
        .filter(({ epoch }) => toDay(epoch * EPOCH_MS) === day)
        .reduce((sum, { minutes }) => sum + minutes, 0),
      exposures: own.length,
      minutes: own.reduce((sum, { minutes }) => sum + minutes, 0),
      degree,
      certainty: ORDER[Math.max(-1, ...sure)],
    }
  })
}
