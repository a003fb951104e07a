/**
 * The salting of a federation in words: what it is worth, and the price of a large quota. PRIVACY.md "What `plain` does not
 * stop". Pure.
 */
import { EPOCH_MS, EPOCH_OPENS_BEFORE_MS, type Parameters, SALT_WINDOW_MS } from '@geotrace/core-wasm/wire'
import { DEVICE_EVALUATIONS, EVALUATION_REFILL_MS } from '../../salt/quota/quota.ts'
import type { SaltingStatus } from '../node-status.ts'
import { grouped, plural } from './words.ts'

/** Cells of one layer in a region: 7^8. */
const REGION_CELLS = 5_764_801

export function parametersToSalting(parameters: SaltingSource): SaltingStatus {
  const { salting, threshold, replicas, devicesPerAddress } = parameters
  return { kind: salting, threshold, replicas, devicesPerAddress }
}
export type SaltingSource = Pick<Parameters, 'salting' | 'threshold' | 'replicas' | 'devicesPerAddress'>

export function saltingText({ kind, threshold, replicas }: SaltingStatus): string {
  return kind === 'plain'
    ? 'plain, WEAK: one request opens a region for three hours'
    : `threshold, ${threshold} of ${replicas}: so many replicas answer for a place, and fewer know nothing`
}

/** How many cells one address can test while nodes answer for an epoch, at all replicas; undefined under `plain`. */
export function priceText({ kind, threshold, replicas, devicesPerAddress }: SaltingStatus): string | undefined {
  if (kind === 'plain') return undefined
  const openMs = EPOCH_OPENS_BEFORE_MS + EPOCH_MS + SALT_WINDOW_MS
  const ofNode = (DEVICE_EVALUATIONS + openMs / EVALUATION_REFILL_MS) * devicesPerAddress
  const cells = Math.floor((ofNode * replicas) / threshold)
  const percent = ((100 * cells) / REGION_CELLS).toPrecision(1)
  return `With ${plural(devicesPerAddress, 'device')} per address, one address can test ${grouped(cells)} cells of an epoch, ${percent} % of a region.`
}
