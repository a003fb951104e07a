/** The backup of an invented person's fourteen days, which the web app restores: its only way to a diary older than three hours. */
import { systemClock } from '@geotrace/core-wasm'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { FIX_FAMILIES } from '../../src/diary/fix-states.ts'
import { createTracer, memoryStorage } from '../../src/node.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const BLOCK = 5 * MINUTE
export const PASSPHRASE = 'correct horse'
const [HOME, OFFICE, CAFE, GYM] = [
  { lat: 52.5411, lng: 13.4132 },
  { lat: 52.5163, lng: 13.3777 },
  { lat: 52.5219, lng: 13.4023 },
  { lat: 52.5302, lng: 13.4301 },
]
/** The plan of a day: where the person is until which hour. Two places in a row mean a way between them. */
const PLAN = [
  [7.5, HOME],
  [8, HOME, OFFICE],
  [12.25, OFFICE],
  [12.5, OFFICE, CAFE],
  [13.25, CAFE],
  [13.5, CAFE, OFFICE],
  [17.5, OFFICE],
  [18, OFFICE, GYM],
  [19.5, GYM],
  [20, GYM, HOME],
  [24, HOME],
] as const
const DEPOSITED = 2

export interface FullDiary {
  file: Buffer
  fixes: number
}

/**
 * Fixes in every five minutes of the days before `nowMs`, deposited but for those of the last hour. With `isHomeKnown` the
 * nights are left out near home, and one afternoon is paused.
 */
export async function fullDiary(
  manifest: Manifest,
  nowMs: number,
  { days = 14, isHomeKnown = false } = {},
): Promise<FullDiary> {
  let at = nowMs - days * DAY + BLOCK
  const storage = memoryStorage()
  const tracer = await createTracer({
    federation: manifest,
    storage,
    dialer: { open: () => Promise.reject(new Error('no network')) },
    clock: { ...systemClock(), now: () => at },
    ...(!isHomeKnown && { redaction: false }),
  })
  await tracer.consent.give('record')
  await tracer.consent.give('deposit')
  if (isHomeKnown) await tracer.home.mark(HOME)
  let fixes = 0
  for (; at <= nowMs; at += BLOCK) {
    const midnight = new Date(at).setHours(0, 0, 0, 0)
    const hour = (at - midnight) / (60 * MINUTE)
    if (isHomeKnown && (nowMs - midnight) / DAY > 4 && (nowMs - midnight) / DAY < 5) {
      if (hour >= 14 && hour < 16) await tracer.pause()
      else await tracer.resume()
    }
    const isInaccurate = isHomeKnown && hour >= 10 && hour < 10.5
    const result = await tracer.record({ ...toPlace(hour, at), accuracyM: isInaccurate ? 35 : 5, at })
    if (result.accepted) fixes++
  }
  at = nowMs
  await deposit(storage, nowMs)
  const file = Buffer.from(await tracer.export(PASSPHRASE))
  await tracer.close()
  return { file, fixes }
}

/** Sways by some metres, as a receiver does. */
function toPlace(hour: number, at: number): { lat: number; lng: number } {
  const i = PLAN.findIndex(([until]) => hour < until)
  const [until, from, to = from] = PLAN[i]!
  const begins = PLAN[i - 1]?.[0] ?? 0
  const part = (hour - begins) / (until - begins)
  const sway = (seed: number) => Math.sin(at / BLOCK + seed) * 0.00005
  return {
    lat: from.lat + (to.lat - from.lat) * part + sway(0),
    lng: from.lng + (to.lng - from.lng) * part + sway(2),
  }
}

/** Marks all fixes but those of the last hour as deposited, without rows: nothing of the past can be salted any more. */
async function deposit(storage: ReturnType<typeof memoryStorage>, nowMs: number): Promise<void> {
  for await (const [key, bytes] of storage.range(FIX_FAMILIES.fix)) {
    const block = Number.parseInt(key.slice(FIX_FAMILIES.fix.length), 16)
    if ((block + 1) * BLOCK > nowMs - 60 * MINUTE) continue
    const value = Uint8Array.of(DEPOSITED, ...bytes.subarray(1))
    await storage.batch([
      { type: 'put', key, value },
      { type: 'del', key: FIX_FAMILIES.pending + key.slice(FIX_FAMILIES.fix.length) },
    ])
  }
}
