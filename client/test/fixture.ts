/** The common set-up of the client's tests: one place, fixes that must be taken, a storage that outlives its tracer. */
import type { Protocol } from '@geotrace/core-wasm/wire'
import { expect } from 'vitest'
import type { DiaryEntry, Fix, Storage, Tracer } from '../src/index.ts'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import { type FakeFederation, unreachable } from '../src/testing/index.ts'

export const CAFE = { lat: 52.52, lng: 13.405 }
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE

/** Records fixes of which each must be accepted. */
export async function recordAll(tracer: Tracer, fixes: readonly Fix[]): Promise<void> {
  for (const fix of fixes) expect(await tracer.record(fix)).toEqual({ accepted: true })
}

export const refused = (reason: string) => ({ accepted: false, reason })

/** A storage that stays open when its tracer closes, for the tracer of the next process. */
export function lastingStorage(): Storage {
  return { ...memoryStorage(), close: async () => {} }
}

export async function keysOf(storage: Storage): Promise<string[]> {
  const keys: string[] = []
  for await (const [key] of storage.range('')) keys.push(key)
  return keys
}

export async function diaryOf(tracer: Tracer): Promise<DiaryEntry[]> {
  const entries: DiaryEntry[] = []
  for await (const entry of tracer.diary()) entries.push(entry)
  return entries
}

/** From now on no peer answers requests of this protocol. */
export function cut(federation: FakeFederation, { id }: Protocol): void {
  federation.intercept = (_peer, protocol, frame, serve) => (protocol.id === id ? unreachable() : serve(frame))
}

/** From now on every peer answers again. */
export function uncut(federation: FakeFederation): void {
  federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
}
