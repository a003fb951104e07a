/** The common set-up of the client's tests: one place, fixes that must be taken, a storage that outlives its tracer. */
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import { TEST_AUTHORITY, testSigner } from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  encodeChange,
  newChange,
  type Protocol,
  signChange,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { expect } from 'vitest'
import type { DiaryEntry, Fix, Storage, Tracer } from '../src/index.ts'
import { memoryStorage } from '../src/storage/memory-storage.ts'
import { type FakeFederation, seededBytes, unreachable } from '../src/testing/index.ts'

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

/**
 * Certifies a roster with another seal key of the central peer, which opens frames to the new key only. The period of the
 * federation must be one epoch.
 */
export function reseal(federation: FakeFederation): CertifiedRoster {
  const signer = testSigner(`peer/${TEST_AUTHORITY}`)
  const secret = seededBytes(`seal ${federation.rosters.length}`)(32)
  const { roster } = federation.rosters.at(-1)!
  const change = newChange(roster.federation, {
    kind: 'seal',
    at: roster.central.sealed + 1,
    until: roster.firstEpoch + 50,
    seal: secretToSealKey(secret),
  })
  federation.sealSecrets.splice(0, federation.sealSecrets.length, secret)
  const firstEpoch = Math.max(timeToEpoch(roster.central.sealed), roster.firstEpoch) + 1
  return federation.follow({ firstEpoch, changes: [encodeChange(signChange(change, signer))] })
}

/** From now on no peer answers requests of this protocol. */
export function cut(federation: FakeFederation, { id }: Protocol): void {
  federation.intercept = (_peer, protocol, frame, serve) => (protocol.id === id ? unreachable() : serve(frame))
}

/** From now on every peer answers again. */
export function uncut(federation: FakeFederation): void {
  federation.intercept = (_peer, _protocol, frame, serve) => serve(frame)
}
