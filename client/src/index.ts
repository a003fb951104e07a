/**
 * Geo Trace on a device: record fixes, sync with the federation, list exposures. Runs in browsers, in the web views of phones
 * and in Node. libp2p, level and h3-js are loaded when they are first needed. Importers of track files: `./importers`.
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
export { formatReportCode, type PeerAddress, parseReportCode } from '@geotrace/core-wasm/wire'
export type { Preview } from './deposit/preview.ts'
export { CONSENT_KINDS, type ConsentControl, type ConsentKind, type Consents } from './device/consent.ts'
export type { OwnReport, WithdrawReason } from './device/own-report.ts'
export { type NamedPlace, type PlaceNameControl, toPlaceName } from './device/place-names.ts'
export type { Totals } from './device/totals.ts'
export type { HomeControl, ZoneControl } from './device/user-places.ts'
export type { Dialer, RequestOptions, Session } from './dialers/dialer.ts'
export { type HttpsDialerOptions, httpsDialer } from './dialers/https-dialer.ts'
export { type Libp2pDialerOptions, libp2pDialer } from './dialers/libp2p-dialer.ts'
export { ABSENCE_CAUSES, type Absence, type AbsenceCause } from './diary/absences.ts'
export type { DiaryEntry } from './diary/diary-entry.ts'
export { DIARY_STATES, type DiaryState } from './diary/fix-states.ts'
export type { TracerEvents } from './events.ts'
export type { Certainty, Exposure } from './exposures/exposure.ts'
export { VERDICTS, type Verdict } from './exposures/verdicts.ts'
export type { ImportedHistory } from './import-history.ts'
export type { DailySummary } from './protection/daily-summaries.ts'
export {
  type ComparedEpoch,
  type LocationPermission,
  PROTECTION_ACTIONS,
  PROTECTION_REASONS,
  type Protection,
  type ProtectionAction,
  type ProtectionReason,
  type ProtectionState,
  type Situation,
} from './protection/protection.ts'
export { nextReadingAt } from './reading-pace.ts'
export {
  accuracyMaxM,
  type GeolocationReading,
  REFUSAL_REASONS,
  type RecordOptions,
  type RecordResult,
  type RefusalReason,
} from './record.ts'
export type { Place } from './redaction/place.ts'
export type {
  HomePreview,
  HomeStatus,
  RedactionOptions,
  RedactionReason,
  TimeZoneOffset,
} from './redaction/redaction.ts'
export type { CircleZone, PolygonZone, Zone, ZoneShape } from './redaction/zones.ts'
export type { SpreadOverview, UncountedPeriod } from './spread/read-spreads.ts'
export { deviceKey } from './storage/device-key.ts'
export { encryptedStorage, type StorageKey } from './storage/encrypted-storage.ts'
export { type LevelStorageOptions, levelStorage } from './storage/level-storage.ts'
export { memoryStorage } from './storage/memory-storage.ts'
export type { Storage, StorageOperation } from './storage/storage.ts'
export type { SyncProgress, SyncResult } from './sync-result.ts'
export type { TokenControl, TokenStatus } from './tokens/control.ts'
export {
  createTracer,
  type EraseOptions,
  type ReportOptions,
  type SyncOptions,
  type TimeSpan,
  type Tracer,
  type TracerInit,
} from './tracer.ts'
