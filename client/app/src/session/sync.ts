/** Syncs every hour while the app is open, and reports. A failed sync and a refused report are shown in different places. */
import { isFederationError, type SyncResult, type WithdrawReason } from '@geotrace/client'
import { HOUR_MS } from '@geotrace/core-wasm/wire'
import { errorText } from '../text/text.ts'
import { refreshProtection } from './refresh.ts'
import { consents, isReporting, online, openTracer, syncing } from './state.ts'

const TICK_MS = 20_000
/** A failed sync is tried again after so many ticks. */
const RETRY_TICKS = 5
/** These answers concern the report code. The sync that brought them succeeded. */
const CODE_ANSWERS = ['CODE_UNKNOWN', 'CODE_SPENT', 'CODE_EXPIRED', 'TOO_MANY_ATTEMPTS'] as const

let running: Promise<SyncResult> | undefined

export function startSchedule(): void {
  setInterval(tick, TICK_MS)
  document.addEventListener('visibilitychange', tick)
  window.addEventListener('online', () => {
    online.value = true
  })
  window.addEventListener('offline', () => {
    online.value = false
  })
}

/** Syncs; a failure is shown in the app. Calls during a sync share its result. */
export async function syncNow(): Promise<SyncResult | undefined> {
  running ??= run(() => openTracer().sync())
  return running.catch(() => undefined)
}

/** Syncs after a sync under way has ended, because that one may have begun before the newest fixes. */
export async function syncAgain(): Promise<SyncResult | undefined> {
  await running?.catch(() => undefined)
  return syncNow()
}

/** Reports with `code`, after a sync under way has ended. Throws what `Tracer.report` throws. */
export function reportNow(code: string): Promise<SyncResult> {
  return reportBy(() => openTracer().report(code))
}

/** Takes the report back, after a sync under way has ended. Throws what `Tracer.withdraw` throws. */
export function withdrawNow(reason: WithdrawReason): Promise<SyncResult> {
  return reportBy(() => openTracer().withdraw(reason))
}

async function reportBy(task: () => Promise<SyncResult>): Promise<SyncResult> {
  isReporting.value = true
  try {
    await running?.catch(() => undefined)
    running = run(task)
    return await running
  } finally {
    isReporting.value = false
  }
}

async function run(task: () => Promise<SyncResult>): Promise<SyncResult> {
  syncing.value = { ...syncing.value, running: true, progress: undefined }
  const settle = (change: Partial<typeof syncing.value>): void => {
    syncing.value = { ...syncing.value, running: false, progress: undefined, ...change }
  }
  try {
    const result = await task()
    // Further marks wait for the next scheduled sync: an extra sync now would show the network that there are some.
    settle({ last: { at: Date.now(), result }, failed: undefined })
    return result
  } catch (error) {
    const isAnswer = CODE_ANSWERS.some((code) => isFederationError(error, code))
    settle(isAnswer ? { failed: undefined } : { failed: { at: Date.now(), why: errorText(error) } })
    throw error
  } finally {
    running = undefined
    await refreshProtection(openTracer())
  }
}

/** Starts the next sync: an hour after the last one, or some minutes after a failed one. A clock that was set back starts one too. */
function tick(): void {
  const { running: isRunning, last, failed } = syncing.value
  if (isRunning || !consents.value.deposit || !navigator.onLine) return
  const since = failed === undefined ? (last?.at ?? 0) : failed.at - HOUR_MS + RETRY_TICKS * TICK_MS
  const waited = Date.now() - since
  if (waited >= HOUR_MS || waited < 0) void syncNow()
}
