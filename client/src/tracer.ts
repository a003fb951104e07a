/**
 * The tracer: a device's whole life in the federation behind one object. DESIGN.md §9, README.
 * Clock, randomness, network and disk are injected; the defaults here are the only ones.
 */
import { type Clock, type Core, FederationError, type Fix, loadCore, systemClock } from '@geotrace/core-wasm'
import {
  assertManifest,
  type Manifest,
  type Mark,
  parseManifest,
  type ReportStatus,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import { exportBackup, importBackup } from './backup.ts'
import { type Device, openSecrets, type Random } from './device.ts'
import type { Dialer } from './dialer.ts'
import { readDiary } from './diary.ts'
import { beginErasure, finishErasure, isErasing } from './erase.ts'
import { type Exposure, marksToExposures } from './exposure.ts'
import { readLinks } from './links.ts'
import { readMarks } from './marks.ts'
import { mutex } from './mutex.ts'
import { type Preview, previewSync } from './preview.ts'
import { type Profile, type RecordOptions, type RecordResult, recordFix } from './record.ts'
import { KEYS } from './records.ts'
import { noRedactor, type RedactionOptions, type Redactor, type TimeZoneOffset } from './redaction.ts'
import { parseReportCode } from './report-code.ts'
import { saltKeeper } from './salt-keeper.ts'
import { del, put, type Storage } from './storage.ts'
import { runSync } from './sync.ts'
import type { SyncResult } from './sync-result.ts'
import { type HomeControl, homeControl, type ZoneControl, zoneControl } from './user-places.ts'

export interface TracerInit {
  /** The federation's manifest, parsed or as the text of its federation.json. */
  federation: Manifest | string
  storage: Storage
  dialer: Dialer
  clock?: Clock
  /** `n` unpredictable bytes. */
  random?: Random
  core?: Core
  profile?: Profile
  /** Takes fixes of unknown accuracy as if imported: for a tracer that lives on recorded tracks. */
  acceptUnknownAccuracy?: boolean
  /** `false` turns off home, zones and speed, nothing else. */
  redaction?: false | RedactionOptions
  timeZoneOffsetMin?: TimeZoneOffset
  /** Milliseconds, only to measure durations. */
  now?: () => number
}

export interface SyncOptions {
  signal?: AbortSignal
}

export interface Tracer {
  /** Takes a fix into the diary, or says why not; never throws for a bad fix. */
  record(fix: Fix, options?: RecordOptions): Promise<RecordResult>
  /** One sync; calls meanwhile share it. Throws FederationError, and has lost nothing then. */
  sync(options?: SyncOptions): Promise<SyncResult>
  /** Reports a positive test: CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED, TOO_MANY_ATTEMPTS, or what `sync` throws. */
  report(code: string, options?: SyncOptions): Promise<SyncResult>
  exposures(): Promise<Exposure[]>
  /** Marks as the central peer gave them, one a hash. */
  marks(): Promise<Mark[]>
  pause(): Promise<void>
  resume(): Promise<void>
  isPaused(): Promise<boolean>
  /** Here at once, at the central peer as soon as it can be reached; throws what `sync` throws until then. */
  eraseAll(options?: SyncOptions): Promise<void>
  /** All of it, encrypted under a passphrase of at least eight characters. */
  export(passphrase: string): Promise<Uint8Array>
  /** Replaces all of it. Throws IMPORT_INVALID. */
  import(file: Uint8Array, passphrase: string): Promise<void>
  /** The device's own fixes, oldest first. */
  diary(): AsyncIterable<Fix>
  readonly home: HomeControl
  readonly zones: ZoneControl
  preview(): Promise<Preview>
  /** Waits for a sync under way, then closes the storage. */
  close(): Promise<void>
}

/** The wire does not say how long; an hour lets the central peer's count decay. */
const ATTEMPT_AGAIN_MS = 60 * 60_000

/** Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK, CORE_UNSUPPORTED, CORE_MISMATCH, STORAGE_CORRUPT. */
export async function createTracer(init: TracerInit): Promise<Tracer> {
  const { federation, storage, dialer, profile = 'seed', acceptUnknownAccuracy = false } = init
  const manifest = typeof federation === 'string' ? parseManifest(federation) : assertManifest(federation)
  const random = init.random ?? ((n) => crypto.getRandomValues(new Uint8Array(n)))
  const toOffsetMin = init.timeZoneOffsetMin ?? ((atMs) => -new Date(atMs).getTimezoneOffset())
  const secrets = await openSecrets(storage, manifest, random)
  const device: Device = {
    manifest,
    storage,
    dialer,
    clock: init.clock ?? systemClock(),
    random,
    core: init.core ?? (await loadCore({ pins: manifest.core })),
    now: init.now ?? (() => performance.now()),
    lock: mutex(),
    keeper: saltKeeper(),
    liars: new Set(),
    rosters: rosterChain(manifest),
    redactor: await openRedaction(secrets.device),
    secrets,
  }
  /** Syncs, erasures and imports, one after the other. */
  const turn = mutex()
  let running: Promise<SyncResult> | undefined
  let closed = false

  async function openRedaction(deviceSecret: Uint8Array): Promise<Redactor> {
    if (init.redaction === false) return noRedactor()
    const { openRedactor } = await import('./redactor.ts')
    return openRedactor({ storage, deviceSecret, toOffsetMin, options: init.redaction ?? {} })
  }

  async function reopen(): Promise<void> {
    device.keeper.dropAll()
    device.secrets = await openSecrets(storage, manifest, random)
    device.redactor = await openRedaction(device.secrets.device)
  }

  function assertOpen(): void {
    if (closed) throw new TypeError('the tracer is closed')
  }

  async function erase(signal: AbortSignal | undefined): Promise<void> {
    await finishErasure(device, signal)
    await device.lock(reopen)
  }

  async function syncOnce(signal: AbortSignal | undefined): Promise<SyncResult> {
    if (await isErasing(storage)) await erase(signal)
    return runSync(device, signal)
  }

  return {
    async record(fix, { imported = acceptUnknownAccuracy } = {}) {
      assertOpen()
      return device.lock(() => recordFix(device, profile, fix, { imported }))
    },
    async sync({ signal } = {}) {
      assertOpen()
      running ??= turn(() => syncOnce(signal)).finally(() => {
        running = undefined
      })
      return running
    },
    async report(text, { signal } = {}) {
      assertOpen()
      const code = parseReportCode(text)
      return turn(async () => {
        await device.lock(() => storage.batch([put(KEYS.code, code)]))
        const result = await syncOnce(signal)
        assertAccepted(result.report)
        return result
      })
    },
    async exposures() {
      assertOpen()
      return device.lock(async () => {
        const marks = await readMarks(storage)
        return marksToExposures(marks, await readLinks(storage, marks))
      })
    },
    marks: () => device.lock(() => readMarks(storage)),
    pause: () => device.lock(() => storage.batch([put(KEYS.paused, Uint8Array.of(1))])),
    resume: () => device.lock(() => storage.batch([del(KEYS.paused)])),
    isPaused: async () => (await storage.get(KEYS.paused)) !== undefined,
    async eraseAll({ signal } = {}) {
      assertOpen()
      return turn(async () => {
        await device.lock(async () => {
          await beginErasure(device)
          device.redactor = await openRedaction(device.secrets.device)
        })
        await erase(signal)
      })
    },
    export: (passphrase) => turn(() => device.lock(() => exportBackup(storage, passphrase, random))),
    import: (file, passphrase) =>
      turn(() =>
        device.lock(async () => {
          await importBackup(storage, file, passphrase)
          await reopen()
        }),
      ),
    diary: () => readDiary(storage),
    home: homeControl(device),
    zones: zoneControl(device),
    preview: () => device.lock(() => previewSync(device)),
    async close() {
      if (closed) return
      closed = true
      await turn(() =>
        device.lock(async () => {
          device.keeper.dropAll()
          await storage.close()
        }),
      )
    },
  }
}

function assertAccepted(report: ReportStatus): void {
  switch (report) {
    case 'code-unknown':
      throw new FederationError('CODE_UNKNOWN', 'the central peer does not know this report code')
    case 'code-spent':
      throw new FederationError('CODE_SPENT', 'this report code was used before')
    case 'code-expired':
      throw new FederationError('CODE_EXPIRED', 'this report code is too old')
    case 'too-many-attempts':
      throw new FederationError('TOO_MANY_ATTEMPTS', 'too many report codes were tried; later again', {
        retryAfterMs: ATTEMPT_AGAIN_MS,
      })
  }
}
