/** The records of the spread on the device: the keys of open periods, and the slip. README "What is stored". Throws STORAGE_CORRUPT. */
import { bytesToHex, hexToBytes, type SyncSlip } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'

/** The keys of one period: two spread keys, each in hex, with their signatures. */
export interface KeptKeys {
  readonly period: number
  readonly mixer: string
  readonly teller: string
  /** Two keys of one role were shown: this device then takes no part in the period. */
  readonly isContradicted: boolean
}
interface AskedKeys {
  /** Height of the newest roster when the device last asked; −1 before. */
  readonly height: number
  readonly periods: readonly KeptKeys[]
}
interface KeptSlip extends SyncSlip {
  /** False for bucket 0 of a device that takes no part. Such a slip costs no ε. */
  readonly isCharged: boolean
}

export async function readAskedKeys(storage: Storage): Promise<AskedKeys> {
  const bytes = await storage.get(KEYS.spreadKeys)
  return bytes === undefined ? { height: -1, periods: [] } : decodeRecord<AskedKeys>(KEYS.spreadKeys, bytes)
}

export function putAskedKeys(asked: AskedKeys): StorageOperation {
  return put(KEYS.spreadKeys, encodeRecord(asked))
}

export async function readSlip(storage: Storage): Promise<KeptSlip | undefined> {
  const bytes = await storage.get(KEYS.slip)
  if (bytes === undefined) return undefined
  const { bytes: hex, ...slip } = decodeRecord<Omit<KeptSlip, 'bytes'> & { bytes: string }>(KEYS.slip, bytes)
  return { ...slip, bytes: hexToBytes(hex) }
}

export function putSlip(slip: KeptSlip): StorageOperation {
  return put(KEYS.slip, encodeRecord({ ...slip, bytes: bytesToHex(slip.bytes) }))
}
