/**
 * The work of one role on one batch: the mixer's or the teller's, in slices that yield to the event loop. PROTOCOL.md §9.4.
 * The secrets of a run exist only while it runs.
 */
import type { Random } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { counting, makeItem, mixing, openItem, openSlip, randomBelow } from '@geotrace/core-wasm/spread'
import {
  batchToDigest,
  encodeSpread,
  hashToRosterName,
  isFederationError,
  type Signer,
  SPREAD_ITEM_BYTES,
  SPREAD_SLIP_BYTES,
  signMixed,
  signSpread,
  spreadBuckets,
} from '@geotrace/core-wasm/wire'
import { nativeSeal } from './native-seal.ts'
import type { RoleOutput } from './output.ts'

/** Key agreements between two yields: some milliseconds, so that the node's event loop stays free for devices. */
const SLICE = 16

export interface RoleWork {
  readonly signer: Signer
  readonly federation: Uint8Array
  readonly period: number
  readonly rule: SpreadRule
  /** The secret of the period's key. */
  readonly secret: Uint8Array
  readonly random: Random
  /** Yields to other work. Throws to end the run. */
  pause(): Promise<void>
}

/** `tellerKey`: the teller's slip key. */
export async function mixBatch(work: RoleWork, slips: Uint8Array, tellerKey: Uint8Array): Promise<RoleOutput> {
  const { signer, federation, period, rule, secret, random } = work
  const { epsilon, minimum } = rule.spread
  const math = nativeSeal()
  const ephemeral = nativeSeal({ isEphemeral: true })
  try {
    const steps = mixing({
      slips: split(slips, SPREAD_SLIP_BYTES),
      open: (slip) => openSlip({ federation, period }, secret, slip, math),
      seal: (bucket) => makeItem({ federation, period }, tellerKey, bucket, random, ephemeral),
      buckets: spreadBuckets(rule.spread),
      epsilon,
      minimum,
      below: randomBelow(random),
    })
    const items = join((await inSlices(steps, work)).items)
    return { kind: 'mixed', signature: signMixed(signer, federation, period, batchToDigest(items)), items }
  } catch (error) {
    if (isFederationError(error, 'TOO_FEW')) return { kind: 'too-few', count: error.data.count }
    throw error
  } finally {
    math.wipe()
    ephemeral.wipe()
  }
}

export async function countBatch(work: RoleWork, items: Uint8Array): Promise<RoleOutput> {
  const { signer, federation, period, rule, secret, random } = work
  const { areas, resolution, epsilon, periodDays } = rule.spread
  const { roster, hash } = rule.certified
  const math = nativeSeal()
  try {
    const steps = counting({
      items: split(items, SPREAD_ITEM_BYTES),
      open: (item) => openItem({ federation, period }, secret, item, math),
      buckets: spreadBuckets(rule.spread),
      epsilon,
      below: randomBelow(random),
    })
    const { counts } = await inSlices(steps, work)
    const roles = { mixer: roster.members.indexOf(rule.mixer), teller: roster.members.indexOf(rule.teller) }
    const grid = { areas, resolution, epsilon, days: periodDays, roster: hashToRosterName(hash) }
    return {
      kind: 'counted',
      spread: encodeSpread(signSpread(signer, { federation, period, ...grid, ...roles, counts })),
    }
  } finally {
    math.wipe()
  }
}

async function inSlices<T>(steps: Generator<void, T>, { pause }: RoleWork): Promise<T> {
  for (let done = 1; ; done++) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (done % SLICE === 0) await pause()
  }
}

/** One array after the other. There may be more items than a call takes arguments. */
function join(items: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(items.length * SPREAD_ITEM_BYTES)
  for (const [i, item] of items.entries()) bytes.set(item, i * SPREAD_ITEM_BYTES)
  return bytes
}

function split(bytes: Uint8Array, itemBytes: number): Uint8Array[] {
  return Array.from({ length: bytes.length / itemBytes }, (_, i) => bytes.subarray(i * itemBytes, (i + 1) * itemBytes))
}
