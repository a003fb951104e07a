/** Opens the app's one tracer on the sealed storage of this browser, follows its events and starts the schedule. */
import {
  createTracer,
  deviceKey,
  encryptedStorage,
  isFederationError,
  levelStorage,
  libp2pDialer,
  type RefusalReason,
  type Tracer,
} from '@geotrace/client'
import { loadCore } from '@geotrace/core-wasm'
import { parseManifest } from '@geotrace/core-wasm/wire'
import { errorText } from '../text/text.ts'
import { FRAMES_KEPT, type SentFrame, watchedDialer } from '../watched-dialer.ts'
import { withFix } from './diary-entries.ts'
import { noteNoPosition, startRecording, watchPermission } from './location.ts'
import { badgeIcon, notifyOfNew } from './notify.ts'
import { refreshAbsences, refreshConsents, refreshDiary, refreshExposures, refreshProtection } from './refresh.ts'
import { absences, consents, diary, exposures, opening, sent, syncing } from './state.ts'
import { startSchedule, syncNow } from './sync.ts'

const STORE = 'geotrace'
/** A receiver gives a position a second and the diary keeps one in five minutes, so these refusals change no status. */
const USUAL: readonly RefusalReason[] = ['not-better', 'block-taken']
/** The status depends on the age of facts, so it is computed again without an event. */
const STATUS_EVERY_MS = 60_000

export async function openSession(): Promise<void> {
  try {
    const text = await (await fetch('/federation.json')).text()
    const manifest = parseManifest(text)
    const core = await loadCore({ pins: manifest.core })
    const tracer = await createTracer({
      federation: manifest,
      core,
      storage: await encryptedStorage(await openStore(), await storageKey(STORE)),
      dialer: watchedDialer(libp2pDialer(), keepFrame),
      consent: 'required',
      ...(manifest.demo && { timeZoneOffsetMin: await toTownTime() }),
    })
    listen(tracer)
    await watchPermission(tracer)
    await Promise.all([refreshDiary(tracer), refreshExposures(tracer), refreshConsents(tracer)])
    opening.value = { state: 'ready', tracer, manifest, core }
    const { record, deposit } = consents.value
    if (record && !(await tracer.isPaused())) startRecording(tracer)
    if (deposit) void syncNow()
    startSchedule()
    badgeIcon()
    void import('./token-refill.ts').then(({ startTokenRefill }) => startTokenRefill(tracer))
    setInterval(() => {
      void noteNoPosition(tracer)
      void refreshProtection(tracer)
    }, STATUS_EVERY_MS)
  } catch (error) {
    opening.value = { state: 'failed', why: errorText(error) }
  }
}

/** The demo's town has a clock of its own, so that no night keeps its deposits in the state `held`. */
async function toTownTime(): Promise<() => number> {
  try {
    const { offsetMin } = (await (await fetch('/demo-track.geojson')).json()) as { offsetMin: number }
    return () => offsetMin
  } catch {
    return () => -new Date().getTimezoneOffset()
  }
}

/** The phone keeps the key in its secure storage, a browser in a database of its own. */
function storageKey(name: string): Promise<CryptoKey> {
  return globalThis.geotraceShell?.storageKey(name) ?? deviceKey(name)
}

/** Opens the storage. While another tab has it, this tab waits. */
async function openStore() {
  try {
    return await levelStorage(STORE)
  } catch (error) {
    if (!isFederationError(error, 'STORE_LOCKED')) throw error
    opening.value = { state: 'waiting' }
    return levelStorage(STORE, { wait: new AbortController().signal })
  }
}

function listen(tracer: Tracer): void {
  tracer.on('recorded', ({ fix, result }) => {
    if (result.accepted) diary.value = withFix(diary.value, fix)
    if (!result.accepted && (absences.value.at(-1)?.until ?? 0) <= fix.at) void refreshAbsences(tracer)
    if (result.accepted || !USUAL.includes(result.reason)) void refreshProtection(tracer)
  })
  tracer.on('progress', (progress) => {
    syncing.value = { ...syncing.value, progress }
  })
  tracer.on('synced', () => void refreshDiary(tracer))
  tracer.on('exposures', (list) => {
    void notifyOfNew(list).catch(() => undefined)
    exposures.value = list
  })
}

function keepFrame(frame: SentFrame): void {
  sent.value = [...sent.value.filter(({ id }) => id !== frame.id), frame].slice(-FRAMES_KEPT)
}
