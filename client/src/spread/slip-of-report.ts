/**
 * The slip that goes with a report. PROTOCOL.md §9.10. A device has one slip a period and sends its
 * bytes again. So neither a retry nor a code that was mistyped casts a second vote. Without the keys of the period there is none.
 */
import { makeSlip, NOWHERE } from '@geotrace/core-wasm/spread'
import { byteReader, hexToBytes, manifestToId, readSpreadKey, type SyncSlip } from '@geotrace/core-wasm/wire'
import { readConsents } from '../device/consent.ts'
import type { Device } from '../device/device.ts'
import { charge, isCharged, type Ledger, putLedger, readLedger } from '../device/ledger.ts'
import type { StorageOperation } from '../storage/storage.ts'
import { chooseBucket } from './bucket.ts'
import { type DrawnPeriod, periodOfNow } from './periods.ts'
import { type KeptKeys, putSlip, readAskedKeys, readSlip } from './spread-records.ts'

interface ReportSlip {
  readonly slip?: SyncSlip
  /** Goes into the write that freezes the frame: the slip, and its charge in the ledger. */
  readonly operations: readonly StorageOperation[]
}

const NO_SLIP: ReportSlip = { operations: [] }

/** Call with the device's lock held. */
export async function slipOfReport(device: Device): Promise<ReportSlip> {
  const { storage, rosters, clock } = device
  const drawn = rosters && periodOfNow(rosters, clock.now())
  const { periods } = await readAskedKeys(storage)
  const keys = periods.find(({ period }) => period === drawn?.period)
  if (drawn === undefined || keys === undefined) return NO_SLIP
  const { period } = drawn
  const known = await readSlip(storage)
  const before = known?.period === period ? known : undefined
  const ledger = await toLedger(device, drawn, keys, before?.isCharged === true)
  const isTakingPart = ledger !== undefined
  if (before?.isCharged === isTakingPart) return { slip: { period, bytes: before.bytes }, operations: [] }
  const bucket = isTakingPart ? await chooseBucket(device, drawn.spread) : NOWHERE
  const bytes = seal(device, keys, bucket)
  const kept = putSlip({ period, bytes, isCharged: isTakingPart })
  return { slip: { period, bytes }, operations: isTakingPart ? [kept, putLedger(ledger)] : [kept] }
}

/** The ledger with this period; undefined when the device takes no part: without consent, after a contradiction, or beyond the year's ε. */
async function toLedger(
  { storage, clock }: Device,
  { period, spread }: DrawnPeriod,
  { isContradicted }: KeptKeys,
  hasSlip: boolean,
): Promise<Ledger | undefined> {
  if (isContradicted || !(await readConsents(storage)).spread) return undefined
  const ledger = await readLedger(storage)
  // The place of this period was drawn before, perhaps on another phone.
  if (isCharged(ledger, period)) return hasSlip ? ledger : undefined
  return charge(ledger, { period, epsilon: spread.epsilon }, clock.proof?.atLeastMs ?? 0)
}

function seal({ manifest, random }: Device, { period, mixer, teller }: KeptKeys, bucket: number): Uint8Array {
  const [toMixer, toTeller] = [mixer, teller].map((hex) => readSpreadKey(byteReader(hexToBytes(hex))).slipKey)
  const context = { federation: manifestToId(manifest), period }
  return makeSlip(context, { mixer: toMixer!, teller: toTeller! }, bucket, random)
}
