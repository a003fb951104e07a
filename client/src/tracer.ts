/**
 * The tracer: a device's whole life in the federation behind one object. DESIGN.md §9, README.
 * Clock, randomness, network and disk are injected; the defaults here are the only ones.
 */
import {
  type Clock,
  type Core,
  FederationError,
  type Fix,
  loadCore,
  oneAtATime,
  type Random,
  systemClock,
} from '@geotrace/core-wasm'
import { type Manifest, type Mark, parseReportCode, type ReportStatus } from '@geotrace/core-wasm/wire'
import { type DiaryEntry, readDiaryEntries } from './deposit/diary-entry.ts'
import { type Preview, previewSync } from './deposit/preview.ts'
import { exportBackup, importBackup } from './device/backup.ts'
import { assertConsent, type ConsentControl, readConsents, writeConsent } from './device/consent.ts'
import { assertNotAborted, type Device, openSecrets } from './device/device.ts'
import { beginErasure, isErasing } from './device/erase.ts'
import { openManifest } from './device/open-manifest.ts'
import { type HomeControl, homeControl, type ZoneControl, zoneControl } from './device/user-places.ts'
import type { Dialer } from './dialers/dialer.ts'
import { type Profile, type RecordOptions, type RecordResult, recordFix } from './diary/record.ts'
import { type Emitter, emitter } from './events.ts'
import { type Exposure, marksToExposures } from './exposures/exposure.ts'
import { readLinks } from './exposures/mark-index.ts'
import { readCursor, readMarks } from './exposures/marks.ts'
import { type Verdict, withVerdict, writeVerdict } from './exposures/verdicts.ts'
import type { Network } from './network.ts'
import { noRedactor, type RedactionOptions, type Redactor, type TimeZoneOffset } from './redaction/redaction.ts'
import { saltKeeper } from './salts/salt-keeper.ts'
import { KEYS } from './storage/key-layout.ts'
import { recentStorage } from './storage/recent-storage.ts'
import { del, put, type Storage } from './storage/storage.ts'
import type { SyncResult } from './sync-result.ts'

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
  /** Nothing is recorded, deposited or reported before the user agreed to it (`consent.give`). */
  consent?: 'required'
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
  /** Oldest first. */
  exposures(): Promise<Exposure[]>
  /** Marks as the central peer gave them, one a hash. */
  marks(): Promise<Mark[]>
  pause(): Promise<void>
  resume(): Promise<void>
  isPaused(): Promise<boolean>
  /**
   * Here at once (a sync under way ends with ABORTED), at the central peer as soon as it can be reached; throws what `sync`
   * throws until then.
   */
  eraseAll(options?: SyncOptions): Promise<void>
  /** All of it, encrypted under a passphrase of at least eight characters. */
  export(passphrase: string, options?: SyncOptions): Promise<Uint8Array>
  /** Replaces all of it. Throws IMPORT_INVALID. */
  import(file: Uint8Array, passphrase: string, options?: SyncOptions): Promise<void>
  /** The device's own fixes, oldest first, and what became of each. */
  diary(): AsyncIterable<DiaryEntry>
  /** What the user says of an exposure; it stays with its place and time. */
  judge(exposure: Exposure, verdict: Verdict): Promise<void>
  readonly consent: ConsentControl
  /** Returns what ends the listening. */
  on: Emitter['on']
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
  const { federation, dialer, profile = 'seed', acceptUnknownAccuracy = false } = init
  const storage = recentStorage(init.storage)
  const opened = await openManifest(storage, federation)
  const { manifest } = opened
  const random = init.random ?? ((n) => crypto.getRandomValues(new Uint8Array(n)))
  const toOffsetMin = init.timeZoneOffsetMin ?? ((atMs) => -new Date(atMs).getTimezoneOffset())
  const secrets = await openSecrets(storage, opened, random)
  const events = emitter()
  const device: Device = {
    manifest,
    storage,
    dialer,
    clock: init.clock ?? systemClock(),
    random,
    core: init.core ?? (await loadCore({ pins: manifest.core })),
    now: init.now ?? (() => performance.now()),
    lock: oneAtATime(),
    keeper: saltKeeper(),
    liars: new Set(),
    progress: (progress) => events.emit('progress', progress),
    redactor: await openRedaction(secrets.device),
    secrets,
  }
  /** Syncs, erasures and imports, one after the other. */
  const turn = oneAtATime()
  let running: Promise<SyncResult> | undefined
  /** Ends the sync under way. */
  let ending: AbortController | undefined
  let erasuresAsked = 0
  let network: Network | undefined
  let closed = false

  async function openRedaction(deviceSecret: Uint8Array): Promise<Redactor> {
    if (init.redaction === false) return noRedactor()
    const { openRedactor } = await import('./redaction/redactor.ts')
    return openRedactor({ storage, deviceSecret, toOffsetMin, options: init.redaction ?? {} })
  }

  async function reopen(): Promise<void> {
    device.keeper.dropAll()
    device.secrets = await openSecrets(storage, opened, random)
    device.redactor = await openRedaction(device.secrets.device)
  }

  function assertOpen(): void {
    if (closed) throw new TypeError('the tracer is closed')
  }

  async function loadNetwork(): Promise<Network> {
    if (network !== undefined) return network
    const { openNetwork } = await import('./network.ts').catch((cause) => {
      throw new FederationError('PEER_UNREACHABLE', 'the code of a sync cannot be loaded', { tried: 0 }, { cause })
    })
    network = openNetwork(device, opened.isChecked)
    return network
  }

  async function erase(signal: AbortSignal | undefined): Promise<void> {
    await (await loadNetwork()).finishErasure(signal)
    await device.lock(reopen)
  }

  /** Throws ABORTED when `signal` says so, or everything is to be erased. */
  async function syncUntilErased(signal: AbortSignal | undefined): Promise<SyncResult> {
    const own = new AbortController()
    const stop = (): void => own.abort()
    signal?.addEventListener('abort', stop)
    if (signal?.aborted === true || erasuresAsked > 0) stop()
    ending = own
    try {
      return await syncOnce(own.signal)
    } finally {
      signal?.removeEventListener('abort', stop)
      ending = undefined
    }
  }

  async function syncOnce(signal: AbortSignal): Promise<SyncResult> {
    assertNotAborted(signal)
    if (await isErasing(storage)) await erase(signal)
    if (init.consent === 'required') await assertConsent(storage, 'deposit')
    const before = await readCursor(storage)
    const result = await (await loadNetwork()).sync(signal)
    events.emit('synced', result)
    // Generation 0: there was no sync before.
    const retracted = before.generation !== 0 && (await readCursor(storage)).generation !== before.generation
    if (result.marksNew > 0 || retracted) events.emit('exposures', await listExposures())
    return result
  }

  function listExposures(): Promise<Exposure[]> {
    return device.lock(async () => {
      const marks = await readMarks(storage)
      const exposures = marksToExposures(marks, await readLinks(storage, marks))
      return Promise.all(exposures.map((exposure) => withVerdict(storage, exposure)))
    })
  }

  return {
    async record(fix, { imported = acceptUnknownAccuracy } = {}) {
      assertOpen()
      const result = await device.lock(() => recordFix(device, profile, fix, { imported }, init.consent))
      events.emit('recorded', { fix, result })
      return result
    },
    async sync({ signal } = {}) {
      assertOpen()
      running ??= turn(() => syncUntilErased(signal)).finally(() => {
        running = undefined
      })
      return running
    },
    async report(text, { signal } = {}) {
      assertOpen()
      const code = parseReportCode(text)
      if (init.consent === 'required') await assertConsent(storage, 'report')
      return turn(async () => {
        await device.lock(() => storage.batch([put(KEYS.code, code)]))
        const result = await syncUntilErased(signal)
        assertAccepted(result.report)
        return result
      })
    },
    async exposures() {
      assertOpen()
      return listExposures()
    },
    judge: (exposure, verdict) => device.lock(() => writeVerdict(storage, exposure, verdict)),
    on: events.on,
    consent: {
      status: () => readConsents(storage),
      give: (kind) => device.lock(() => writeConsent(storage, kind, true)),
      withdraw: (kind) => device.lock(() => writeConsent(storage, kind, false)),
    },
    marks: () => device.lock(() => readMarks(storage)),
    pause: () => device.lock(() => storage.batch([put(KEYS.paused, Uint8Array.of(1))])),
    resume: () => device.lock(() => storage.batch([del(KEYS.paused)])),
    isPaused: async () => (await storage.get(KEYS.paused)) !== undefined,
    async eraseAll({ signal } = {}) {
      assertOpen()
      // What a sync under way would still bring is to be erased as well.
      erasuresAsked++
      ending?.abort()
      return turn(async () => {
        erasuresAsked--
        await device.lock(async () => {
          await beginErasure(device)
          device.redactor = await openRedaction(device.secrets.device)
        })
        await erase(signal)
      })
    },
    export: (passphrase, { signal } = {}) =>
      turn(() => device.lock(() => exportBackup(storage, passphrase, random, signal))),
    import: (file, passphrase, { signal } = {}) =>
      turn(() =>
        device.lock(async () => {
          await importBackup(storage, file, passphrase, signal)
          await reopen()
        }),
      ),
    diary: () => readDiaryEntries(device),
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
