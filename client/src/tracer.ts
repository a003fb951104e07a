/**
 * The tracer: the whole life of a device in the federation, as one object. DESIGN.md §9, README. Clock, randomness, network
 * and storage are injected.
 */
import { FederationError, type Fix } from '@geotrace/core-wasm'
import { DAY_MS, type Mark, parseReportCode, timeToEpoch } from '@geotrace/core-wasm/wire'
import { isErasing } from './deposit/batch.ts'
import { beginErasure } from './deposit/erase.ts'
import type { Preview } from './deposit/preview.ts'
import { assertConsent, type ConsentControl, readConsents, writeConsent } from './device/consent.ts'
import { assertNotAborted, type Device } from './device/device.ts'
import { toHideBefore } from './device/forget-when-due.ts'
import { type DeviceInit, type OpenedDevice, openDevice } from './device/open-device.ts'
import { type OwnReport, putDue, readOwnReport, type WithdrawReason } from './device/own-report.ts'
import type { PlaceNameControl } from './device/place-names.ts'
import { type HomeControl, homeControl, type ZoneControl, zoneControl } from './device/user-places.ts'
import type { Absence } from './diary/absences.ts'
import { type DiaryEntry, type DiarySource, readDiaryEntries } from './diary/diary-entry.ts'
import { timeToFixBlock } from './diary/fix-block.ts'
import { ErasableTurns } from './erasable-turns.ts'
import { type Emitter, emitter } from './events.ts'
import type { Exposure } from './exposures/exposure.ts'
import { readCursor, readMarks } from './exposures/marks.ts'
import { type Verdict, writeVerdict } from './exposures/verdicts.ts'
import type { ImportedHistory } from './import-history.ts'
import type { DailySummary } from './protection/daily-summaries.ts'
import type { LocationPermission, Protection } from './protection/protection.ts'
import { NO_FIXES, withFix } from './protection/seen-fixes.ts'
import {
  accuracyMaxM,
  type GeolocationReading,
  type RecordOptions,
  type RecordResult,
  recordFix,
  toFix,
  withoutUnknown,
} from './record.ts'
import type { SpreadOverview } from './spread/read-spreads.ts'
import { encodeRecord, KEYS } from './storage/key-layout.ts'
import { del, put, type StorageOperation } from './storage/storage.ts'
import type { SyncResult } from './sync-result.ts'
import type { TokenControl } from './tokens/control.ts'

export interface TracerInit extends DeviceInit {
  /** Takes fixes of unknown accuracy, as an import does. Set this for a tracer that replays recorded tracks. */
  acceptUnknownAccuracy?: boolean
  /** With `required`, the tracer records, deposits and reports only after the user agreed (`consent.give`). */
  consent?: 'required'
}

export interface SyncOptions {
  signal?: AbortSignal
}

export interface ReportOptions extends SyncOptions {
  /** From when this person may have infected others, Unix ms. Default: what the code and the retention allow. */
  from?: number
  /** A moment of the UTC day of the test, Unix ms. */
  testedAt?: number
}

export interface EraseOptions extends SyncOptions {
  /** The warnings that others have from this device's report stay. Default: they go. */
  keepWarning?: boolean
}

export interface TimeSpan {
  from: number
  until: number
}

export interface Tracer {
  /**
   * Takes a fix, or a position of the platform as it is, into the diary, or gives the reason for a refusal. Never throws for a
   * bad fix.
   */
  record(fix: Fix | GeolocationReading, options?: RecordOptions): Promise<RecordResult>
  /**
   * Takes the fixes of an import. Those older than three hours can never be matched; they are kept as history for 14 days.
   * Importing the same fixes again changes nothing.
   */
  importHistory(fixes: readonly Fix[]): Promise<ImportedHistory>
  /** Runs one sync; calls during a sync share its result. A sync that throws FederationError has lost nothing. */
  sync(options?: SyncOptions): Promise<SyncResult>
  /**
   * Reports a positive test: CODE_UNKNOWN, CODE_SPENT, CODE_EXPIRED, TOO_MANY_ATTEMPTS, or what `sync` throws. The same code
   * with another date updates the report.
   */
  report(code: string, options?: ReportOptions): Promise<SyncResult>
  /**
   * Withdraws the report. After `withdrawn` (an error) and `negative` nobody stays warned because of it; after `recovered` the
   * warnings stay. Throws what `sync` throws; the withdrawal then goes with the next sync.
   */
  withdraw(reason: WithdrawReason, options?: SyncOptions): Promise<SyncResult>
  /** Where the report of this device stands, as of the last sync; undefined when there was none. */
  ownReport(): Promise<OwnReport | undefined>
  /** The honest status of the device. `location`: the platform's answer about the permission, if it gives one. */
  protection(location?: LocationPermission): Promise<Protection>
  /** Where reporters have been, as the federation published and this device checked it. Throws PEER_UNREACHABLE. */
  spread(): Promise<SpreadOverview>
  /** Oldest first. */
  exposures(): Promise<Exposure[]>
  /** Each day of the retention in numbers, oldest first, in a time zone `offsetMin` minutes ahead of UTC. */
  dailySummaries(offsetMin?: number): Promise<DailySummary[]>
  /** The central peer's marks, one for each hash. */
  marks(): Promise<Mark[]>
  pause(): Promise<void>
  resume(): Promise<void>
  isPaused(): Promise<boolean>
  /**
   * Erases this device at once (a sync under way ends with ABORTED), and the central peer's data as soon as that peer can be
   * reached. Until then it throws what `sync` throws, and a later sync tries again.
   */
  eraseAll(options?: EraseOptions): Promise<void>
  /**
   * Deletes the fixes from `from` until before `until` (Unix ms), in any state: a fix, a stay or a day. The next sync takes
   * their rows back at the central peer. Gives the number of fixes. The home that was learnt from them stays.
   */
  deleteFixes(span: TimeSpan): Promise<number>
  /** The whole storage, encrypted under a passphrase of at least eight characters. */
  export(passphrase: string, options?: SyncOptions): Promise<Uint8Array>
  /** Replaces the person's data; rosters and a batch on its way are never taken from the file. Throws IMPORT_INVALID. */
  import(file: Uint8Array, passphrase: string, options?: SyncOptions): Promise<void>
  /** The device's own fixes with their states, oldest first, imported history included. */
  diary(): AsyncIterable<DiaryEntry>
  /** Why blocks have no fix, oldest first. For a block with neither a fix nor a cause, no position came at all. */
  absences(): Promise<Absence[]>
  /** Notes that the platform gives no position now. Call this every five minutes while it is so. */
  noteAbsence(cause: 'denied' | 'unavailable'): Promise<void>
  /** Keeps the user's verdict on an exposure. The verdict stays with the place and time of the exposure. */
  judge(exposure: Exposure, verdict: Verdict): Promise<void>
  /** Tokens, by which the quota of salts is this device's and not its address's. */
  tokens(): Promise<TokenControl>
  readonly consent: ConsentControl
  /** Returns a function that ends the listening. */
  on: Emitter['on']
  /** The federation's time minus the device's clock, ms; 0 unless the last sync found the clock off by five minutes. */
  clockOffsetMs(): number
  readonly home: HomeControl
  readonly zones: ZoneControl
  readonly placeNames: PlaceNameControl
  preview(): Promise<Preview>
  /** Waits for a sync under way, then closes the storage. */
  close(): Promise<void>
}

/** Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK, CORE_UNSUPPORTED, CORE_MISMATCH, STORAGE_CORRUPT. */
export async function createTracer(init: TracerInit): Promise<Tracer> {
  const events = emitter()
  const opened = await openDevice(init, (progress) => events.emit('progress', progress))
  return new DeviceTracer(opened, events, init)
}

type Rules = Pick<TracerInit, 'acceptUnknownAccuracy' | 'consent'>

class DeviceTracer implements Tracer {
  readonly consent: ConsentControl
  readonly home: HomeControl
  readonly zones: ZoneControl
  readonly placeNames: PlaceNameControl
  readonly on: Emitter['on']
  readonly #device: Device
  readonly #opened: OpenedDevice
  readonly #events: Emitter
  readonly #rules: Rules
  readonly #turns = new ErasableTurns()
  #running: Promise<SyncResult> | undefined
  #seen = NO_FIXES
  #isClosed = false

  constructor(opened: OpenedDevice, events: Emitter, rules: Rules) {
    const { device } = opened
    this.#opened = opened
    this.#device = device
    this.#events = events
    this.#rules = rules
    this.on = events.on
    this.home = homeControl(device)
    this.zones = zoneControl(device)
    const placeNames = () => load(() => import('./device/place-names.ts'))
    this.placeNames = {
      list: async () => (await placeNames()).readPlaceNames(device.storage),
      set: async (place, name) => {
        const { writePlaceName } = await placeNames()
        await device.lock(() => writePlaceName(device.storage, place, name))
      },
    }
    this.consent = {
      status: () => readConsents(device.storage),
      give: (kind) => device.lock(() => writeConsent(device.storage, kind, true)),
      withdraw: (kind) => device.lock(() => writeConsent(device.storage, kind, false)),
    }
  }

  async record(reading: Fix | GeolocationReading, options: RecordOptions = {}): Promise<RecordResult> {
    this.#assertOpen()
    const { acceptUnknownAccuracy = false, consent } = this.#rules
    const { imported = acceptUnknownAccuracy } = options
    const fix = toFix(reading)
    const result = await this.#device.lock(() => recordFix(this.#device, fix, { imported }, consent))
    this.#seen = withFix(this.#seen, this.#device.clock.now(), result)
    this.#events.emit('recorded', { fix, result })
    return result
  }

  async importHistory(fixes: readonly Fix[]): Promise<ImportedHistory> {
    this.#assertOpen()
    const { importHistory } = await load(() => import('./import-history.ts'))
    const device = this.#device
    return importHistory(device, fixes.map(withoutUnknown), {
      record: (fix) => recordFix(device, fix, { imported: true }, this.#rules.consent),
      accuracyMaxM: accuracyMaxM(device.manifest.parameters),
    })
  }

  async sync({ signal }: SyncOptions = {}): Promise<SyncResult> {
    this.#assertOpen()
    this.#running ??= this.#turns
      .run(() => this.#turns.abortable(signal, (own) => this.#syncOnce(own)))
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async report(text: string, { signal, from, testedAt }: ReportOptions = {}): Promise<SyncResult> {
    this.#assertOpen()
    const code = parseReportCode(text)
    const dates = { from: from === undefined ? 0 : timeToEpoch(from), testDay: Math.floor((testedAt ?? 0) / DAY_MS) }
    if (this.#rules.consent === 'required') await assertConsent(this.#device.storage, 'report')
    const { assertAccepted } = await load(() => import('./sync.ts'))
    const result = await this.#syncWith(putDue({ kind: 'code', code, ...dates }), signal)
    assertAccepted(result.report)
    return result
  }

  withdraw(reason: WithdrawReason, { signal }: SyncOptions = {}): Promise<SyncResult> {
    this.#assertOpen()
    return this.#syncWith(putDue({ kind: 'withdraw', reason }), signal)
  }

  ownReport(): Promise<OwnReport | undefined> {
    return readOwnReport(this.#device.storage)
  }

  async eraseAll({ signal, keepWarning = false }: EraseOptions = {}): Promise<void> {
    this.#assertOpen()
    return this.#turns.erase(async () => {
      await this.#device.lock(async () => {
        await beginErasure(this.#device, keepWarning)
        this.#seen = NO_FIXES
        await this.#opened.reopenRedactor()
      })
      await this.#finishErasure(signal)
    })
  }

  async protection(location: LocationPermission = 'unknown'): Promise<Protection> {
    this.#assertOpen()
    const exposures = await this.#listExposures()
    const { readProtection } = await load(() => import('./protection/situation.ts'))
    const around = { location, consent: this.#rules.consent, ...this.#seen, exposures }
    return this.#device.lock(() => readProtection(this.#device, around))
  }

  async dailySummaries(offsetMin = 0): Promise<DailySummary[]> {
    this.#assertOpen()
    const exposures = await this.#listExposures()
    const { readDailySummaries } = await load(() => import('./protection/daily-summaries.ts'))
    return this.#device.lock(() => readDailySummaries(this.#device, exposures, offsetMin))
  }

  async spread(): Promise<SpreadOverview> {
    this.#assertOpen()
    const { readSpreads } = await load(() => import('./spread/read-spreads.ts'))
    return readSpreads(this.#device)
  }

  async tokens(): Promise<TokenControl> {
    const { openTokens } = await load(() => import('./sync.ts'))
    return openTokens(this.#device, this.#turns)
  }

  async deleteFixes(span: TimeSpan): Promise<number> {
    this.#assertOpen()
    const { deleteFixes } = await import('./diary/delete-fixes.ts')
    return this.#device.lock(() => deleteFixes(this.#device.storage, span))
  }

  async exposures(): Promise<Exposure[]> {
    this.#assertOpen()
    return this.#listExposures()
  }

  marks(): Promise<Mark[]> {
    return this.#device.lock(() => readMarks(this.#device.storage, toHideBefore(this.#device)))
  }

  clockOffsetMs(): number {
    return this.#device.clock.offsetMs
  }

  judge(exposure: Exposure, verdict: Verdict): Promise<void> {
    return this.#device.lock(() => writeVerdict(this.#device.storage, exposure, verdict))
  }

  pause(): Promise<void> {
    const { storage, clock, lock } = this.#device
    return lock(async () => {
      if ((await storage.get(KEYS.paused)) !== undefined) return
      await storage.batch([put(KEYS.paused, encodeRecord(timeToFixBlock(clock.now())))])
    })
  }

  resume(): Promise<void> {
    const { storage, clock, lock } = this.#device
    return lock(async () => {
      const code = await import('./diary/absences.ts').catch(() => undefined)
      const paused = await code?.notePause(storage, clock.now(), toHideBefore(this.#device))
      await storage.batch([...(paused ?? []), del(KEYS.paused)])
    })
  }

  async isPaused(): Promise<boolean> {
    return (await this.#device.storage.get(KEYS.paused)) !== undefined
  }

  export(passphrase: string, { signal }: SyncOptions = {}): Promise<Uint8Array> {
    const { storage, random, lock } = this.#device
    return this.#turns.run(async () => {
      const { exportBackup } = await import('./device/backup.ts')
      return lock(() => exportBackup(storage, passphrase, random, signal))
    })
  }

  import(file: Uint8Array, passphrase: string, { signal }: SyncOptions = {}): Promise<void> {
    const { storage, lock } = this.#device
    return this.#turns.run(async () => {
      const { importBackup } = await import('./device/backup.ts')
      await lock(async () => {
        await importBackup(storage, file, passphrase, signal)
        await this.#opened.reopen()
      })
    })
  }

  async *diary(): AsyncIterable<DiaryEntry> {
    const device = this.#device
    const source: DiarySource = {
      storage: device.storage,
      now: () => device.clock.now(),
      hideBefore: () => toHideBefore(device),
      decide: (fix, nowMs) => device.redactor.toDecision(fix, nowMs),
    }
    // A page that cannot load this code shows the diary without the history.
    const code = await import('./diary/history.ts').catch(() => undefined)
    const entries = readDiaryEntries(source)
    yield* code?.withHistory(source, entries) ?? entries
  }

  async absences(): Promise<Absence[]> {
    const { storage, clock, lock } = this.#device
    const { readAbsences } = await load(() => import('./diary/absences.ts'))
    return lock(() => readAbsences(storage, clock.now(), toHideBefore(this.#device)))
  }

  async noteAbsence(cause: 'denied' | 'unavailable'): Promise<void> {
    const { storage, clock, lock } = this.#device
    const { noteAbsence } = await load(() => import('./diary/absences.ts'))
    const block = timeToFixBlock(clock.now())
    return lock(async () => storage.batch(await noteAbsence(storage, block, block + 1, cause)))
  }

  async preview(): Promise<Preview> {
    const { previewSync } = await load(() => import('./deposit/preview.ts'))
    return this.#device.lock(() => previewSync(this.#device))
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { storage, keeper, lock } = this.#device
    await this.#turns.run(() =>
      lock(async () => {
        keeper.dropAll()
        await storage.close()
      }),
    )
  }

  /** One sync that carries what is due. */
  #syncWith(due: StorageOperation, signal: AbortSignal | undefined): Promise<SyncResult> {
    const { storage, lock } = this.#device
    return this.#turns.run(async () => {
      await lock(() => storage.batch([due]))
      return this.#turns.abortable(signal, (own) => this.#syncOnce(own))
    })
  }

  async #syncOnce(signal: AbortSignal): Promise<SyncResult> {
    const { storage } = this.#device
    assertNotAborted(signal)
    if (await isErasing(storage)) await this.#finishErasure(signal)
    if (this.#rules.consent === 'required') await assertConsent(storage, 'deposit')
    const before = await readCursor(storage)
    const { runSync } = await load(() => import('./sync.ts'))
    const result = await runSync(this.#device, signal)
    this.#events.emit('synced', result)
    if (result.isClockOff) this.#events.emit('clock', { offsetMs: result.clockOffsetMs! })
    // Generation 0: there was no sync before.
    const isRetracted = before.generation !== 0 && (await readCursor(storage)).generation !== before.generation
    if (result.marksNew > 0 || isRetracted) this.#events.emit('exposures', await this.#listExposures())
    return result
  }

  #listExposures(): Promise<Exposure[]> {
    const { storage, lock } = this.#device
    return lock(async () => {
      const marks = await readMarks(storage, toHideBefore(this.#device))
      if (marks.length === 0) return []
      const { listExposures } = await load(() => import('./exposures/list-exposures.ts'))
      return listExposures(storage, marks)
    })
  }

  async #finishErasure(signal: AbortSignal | undefined): Promise<void> {
    const { runErasure } = await load(() => import('./sync.ts'))
    await runErasure(this.#device, signal)
    await this.#device.lock(() => this.#opened.reopen())
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new TypeError('the tracer is closed')
  }
}

/** Code that recording does not need. Throws PEER_UNREACHABLE when the host cannot load it, for example a page without a network. */
function load<T>(code: () => Promise<T>): Promise<T> {
  return code().catch((cause) => {
    throw new FederationError('PEER_UNREACHABLE', 'the code of this call cannot be loaded', { tried: 0 }, { cause })
  })
}
