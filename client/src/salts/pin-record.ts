/**
 * The pins that a device keeps, so that two syncs notice when peers show different pins of one epoch. PROTOCOL.md §4.11.
 * README "What is stored". Throws STORAGE_CORRUPT.
 *
 *  meta/pins  { Pin }[n]
 */
import {
  byteReader,
  byteWriter,
  type EpochPins,
  equalBytes,
  PIN_BYTES,
  type Pin,
  readPin,
  writePin,
} from '@geotrace/core-wasm/wire'
import { KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'

export async function readPins(storage: Storage): Promise<Pin[]> {
  const bytes = await storage.get(KEYS.pins)
  if (bytes === undefined) return []
  const reader = byteReader(bytes)
  const pins = Array.from({ length: Math.floor(bytes.length / PIN_BYTES) }, () => readPin(reader))
  reader.end()
  return pins
}

/** Writes nothing when the pins are the same as before. */
export async function storePins(storage: Storage, pins: EpochPins): Promise<void> {
  const all = pins.from(0)
  const before = await storage.get(KEYS.pins)
  const writer = byteWriter(all.length * PIN_BYTES)
  for (const pin of all) writePin(writer, pin)
  const bytes = writer.finish()
  if (!equalBytes(before ?? new Uint8Array(0), bytes)) await storage.batch([put(KEYS.pins, bytes)])
}
