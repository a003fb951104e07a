/**
 * Geo Trace on a device: record fixes, sync with the federation, learn of exposures. Runs in browsers, phones' web views
 * and Node; libp2p, level and h3-js are loaded when they are first needed. Importers of track files: `./importers`.
 *
 * ```ts
 * const tracer = await createTracer({ federation, storage: await levelStorage('geotrace'), dialer: libp2pDialer() })
 * await tracer.record({ lat: 51.5007, lng: -0.1246, accuracyM: 6, at: Date.now() })
 * await tracer.sync()
 * ```
 * @module
 */
export { type ErrorCode, FederationError, type Fix, isFederationError } from '@geotrace/core-wasm'
export type { Mark, Protocol } from '@geotrace/core-wasm/wire'
export { CONSENT_KINDS, type ConsentControl, type ConsentKind, type Consents } from './consent.ts'
export { deviceKey } from './device-key.ts'
export type { Dialer, PeerAddress, RequestOptions, Session } from './dialer.ts'
export { DIARY_STATES, type DiaryEntry, type DiaryState } from './diary-entry.ts'
export { encryptedStorage, type StorageKey } from './encrypted-storage.ts'
export type { SyncProgress, TracerEvents } from './events.ts'
export type { Certainty, Exposure } from './exposure.ts'
export { type HttpsDialerOptions, httpsDialer } from './https-dialer.ts'
export { type LevelStorageOptions, levelStorage } from './level-storage.ts'
export { type Libp2pDialerOptions, libp2pDialer } from './libp2p-dialer.ts'
export { memoryStorage } from './memory-storage.ts'
export type { Place } from './place.ts'
export type { Preview } from './preview.ts'
export { type Profile, REFUSAL_REASONS, type RecordOptions, type RecordResult, type RefusalReason } from './record.ts'
export type { HomeStatus, RedactionOptions, RedactionReason, TimeZoneOffset } from './redaction.ts'
export { formatReportCode, parseReportCode } from './report-code.ts'
export type { Storage, StorageOperation } from './storage.ts'
export type { SyncResult } from './sync-result.ts'
export type { Totals } from './totals.ts'
export { createTracer, type SyncOptions, type Tracer, type TracerInit } from './tracer.ts'
export type { HomeControl, ZoneControl } from './user-places.ts'
export { VERDICTS, type Verdict } from './verdicts.ts'
export type { CircleZone, PolygonZone, Zone, ZoneShape } from './zones.ts'
