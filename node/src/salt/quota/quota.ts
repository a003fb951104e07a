/**
 * The quota of one requester and shard as pure rules. PROTOCOL.md §5.5. Integers only; time is an argument.
 * `rolling`: 90 distinct salts in three hours, refilled evenly. A salt that was given before is free, so a lost reply costs
 * nothing and all devices of one address share the quota.
 * `strict`: one request an hour; an identical request is answered again.
 */
import {
  epochToSecretSpan,
  equalBytes,
  MINUTE_MS,
  SALT_WINDOW_MS,
  SALTS_PER_REQUEST_MAX,
} from '@geotrace/core-wasm/wire'

/** One salt is refilled every two minutes. */
export const SALT_REFILL_MS = SALT_WINDOW_MS / SALTS_PER_REQUEST_MAX
export const STRICT_INTERVAL_MS = 60 * MINUTE_MS
/**
 * An IPv6 /48 holds 256 prefixes of /56. Together they get eight times the distinct salts of one prefix. A salt counts once
 * for the fence however many of its prefixes ask, because mobile carriers put thousands of phones into one /48.
 */
export const FENCE_FACTOR = 8

export interface QuotaState {
  /** When the quota will be fully refilled, Unix ms; so the spent amount is stored as a time. */
  readonly spentUntilMs: number
  /** `rolling` and a fence: masks of the salts given before, by epoch. */
  readonly had: ReadonlyMap<number, number>
  /** `strict`: SHA-256 of the request answered last; otherwise empty. */
  readonly digest: Uint8Array
}
export interface QuotaQuestion {
  /** Masks of the salts asked for, by epoch. */
  readonly masks: ReadonlyMap<number, number>
  readonly digest: Uint8Array
}
/** `cost`: distinct new salts, or requests (`strict`). With cost 0 nothing new was given. */
type QuotaDecision = { granted: true; state: QuotaState; cost: number } | { granted: false; retryAfterMs: number }
type QuotaRule = (state: QuotaState | undefined, question: QuotaQuestion, nowMs: number) => QuotaDecision

const NONE = new Uint8Array(0)

export const rolling: QuotaRule = distinctSalts(SALT_REFILL_MS)

export const strict: QuotaRule = (state, { digest }, nowMs) => {
  const bucket = pour(state?.spentUntilMs, STRICT_INTERVAL_MS, STRICT_INTERVAL_MS, nowMs)
  if (bucket.retryAfterMs === 0) {
    return { granted: true, state: { spentUntilMs: bucket.spentUntilMs, had: new Map(), digest }, cost: 1 }
  }
  if (state !== undefined && equalBytes(state.digest, digest)) return { granted: true, state, cost: 0 }
  return { granted: false, retryAfterMs: bucket.retryAfterMs }
}

export const QUOTA_RULES = { rolling, strict } as const
export type QuotaName = keyof typeof QUOTA_RULES

/** The rule of a whole fence, whatever the rule of its prefixes. */
export const fenceRule: QuotaRule = distinctSalts(SALT_REFILL_MS / FENCE_FACTOR)

/** One bucket of distinct salts that gains one salt each `refillMs` and is full after the salt window. */
function distinctSalts(refillMs: number): QuotaRule {
  return (state, { masks }, nowMs) => {
    // Salts of epochs whose secrets are gone cannot be asked for again.
    const had = new Map([...(state?.had ?? [])].filter(([epoch]) => nowMs < epochToSecretSpan(epoch).to))
    let cost = 0
    for (const [epoch, mask] of masks) {
      const before = had.get(epoch) ?? 0
      cost += bits(mask & ~before)
      had.set(epoch, (before | mask) >>> 0)
    }
    const bucket = pour(state?.spentUntilMs, cost * refillMs, SALT_WINDOW_MS, nowMs)
    if (cost > 0 && bucket.retryAfterMs > 0) return { granted: false, retryAfterMs: bucket.retryAfterMs }
    return { granted: true, state: { spentUntilMs: bucket.spentUntilMs, had, digest: NONE }, cost }
  }
}

/** A leaky bucket stored as one time (GCRA). The quota is spent when that time lies `room` ahead of now. */
function pour(
  spentUntilMs: number | undefined,
  costMs: number,
  room: number,
  nowMs: number,
): { spentUntilMs: number; retryAfterMs: number } {
  // Cap the time at `room` ahead of now, because the clock may have been set back meanwhile.
  const before = Math.min(Math.max(spentUntilMs ?? nowMs, nowMs), nowMs + room)
  const after = before + costMs
  return { spentUntilMs: after, retryAfterMs: Math.max(0, after - nowMs - room) }
}

function bits(mask: number): number {
  let count = 0
  for (let rest = mask >>> 0; rest !== 0; rest &= rest - 1) count++
  return count
}
