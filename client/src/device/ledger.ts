/**
 * The ledger of ε: how much the published counts of a year may tell about this device. PROTOCOL.md §9.10. Each period in which
 * the device takes part costs the ε of that period, once. Throws STORAGE_CORRUPT.
 */
import { DAY_MS } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** The year of the ledger. */
const LEDGER_DAYS = 365
/** Periods of one ε within a year. */
const PERIODS_A_YEAR = 4

interface Charge {
  readonly period: number
  /** Thousandths. */
  readonly epsilon: number
}
/** Ascending by period, each once. */
export type Ledger = readonly Charge[]

export async function readLedger(storage: Storage): Promise<Ledger> {
  const bytes = await storage.get(KEYS.ledger)
  return bytes === undefined ? [] : decodeRecord<Ledger>(KEYS.ledger, bytes)
}

export function putLedger(ledger: Ledger): StorageOperation {
  return put(KEYS.ledger, encodeRecord(ledger))
}

export function isCharged(ledger: Ledger, period: number): boolean {
  return ledger.some((charge) => charge.period === period)
}

/**
 * The ledger with the charge of this period; undefined when it would exceed four times this ε within 365 days. A charge ends
 * by proved time only. `provedMs`: a time that has certainly come; 0 without a proof.
 */
export function charge(ledger: Ledger, { period, epsilon }: Charge, provedMs: number): Ledger | undefined {
  const counting = ledger.filter((item) => (item.period + LEDGER_DAYS) * DAY_MS > provedMs)
  const spent = counting.reduce((sum, item) => sum + item.epsilon, 0)
  return spent + epsilon > PERIODS_A_YEAR * epsilon ? undefined : mergeLedgers(counting, [{ period, epsilon }])
}

/** A period that both have keeps its higher charge. */
export function mergeLedgers(one: Ledger, other: Ledger): Ledger {
  const charges = new Map<number, Charge>()
  for (const item of [...one, ...other]) {
    if (item.epsilon > (charges.get(item.period)?.epsilon ?? 0)) charges.set(item.period, item)
  }
  return [...charges.values()].sort((a, b) => a.period - b.period)
}
