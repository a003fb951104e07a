/**
 * The quota of one requester and shard as pure rules. PROTOCOL.md §5.5, §5.10. Integers only; time is an argument.
 * `rolling`: 90 distinct salts in three hours, refilled evenly. A salt that was given before is free, so a lost reply costs
 * nothing and all devices of one address share the quota.
 * `strict`: one request an hour; an identical request is answered again.
 * Evaluations: 432 for each device, refilled by 40 an hour, and by 36 where a token pays. Each is counted, because elements are blinded. Besides, a node
 * makes a bounded number for one shard and epoch.
 */
import {
  EPOCH_MS,
  epochToSecretSpan,
  equalBytes,
  MINUTE_MS,
  SALT_WINDOW_MS,
  SALTS_PER_REQUEST_MAX,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'

/** One salt is refilled every two minutes. */
export const SALT_REFILL_MS = SALT_WINDOW_MS / SALTS_PER_REQUEST_MAX
export const STRICT_INTERVAL_MS = 60 * MINUTE_MS
/**
 * One device: three hours on foot in one sync, eight hours of driving, the worst day of the recorded tracks. THRESHOLD of the
 * design has the simulation.
 */
export const DEVICE_EVALUATIONS = 432
/** 40 evaluations an hour. */
export const EVALUATION_REFILL_MS = 90_000
/**
 * 36 evaluations an hour: a day has 1,296. Four tokens then open at most 1,728 cells of a region under 3 of 5. DECISIONS.md of
 * the core has the arithmetic.
 */
export const TOKEN_REFILL_MS = 100_000
const EVALUATION_ROOM_MS = DEVICE_EVALUATIONS * EVALUATION_REFILL_MS
/**
 * An IPv6 /48 holds 256 prefixes of /56. Together they get eight times the distinct salts of one prefix. A salt counts once
 * for the fence however many of its prefixes ask, because mobile carriers put thousands of phones into one /48.
 */
export const FENCE_FACTOR = 8

export interface QuotaState {
  /** When the quota will be fully refilled, Unix ms; so the spent amount is stored as a time. */
  readonly spentUntilMs: number
  /** `rolling` and a fence: masks of the salts given before, by epoch. In the bucket of a shard: evaluations made. */
  readonly had: ReadonlyMap<number, number>
  /** `strict`: SHA-256 of the request answered last; otherwise empty. */
  readonly digest: Uint8Array
}
export interface SaltQuestion {
  /** Masks of the salts asked for, by epoch. */
  readonly masks: ReadonlyMap<number, number>
  readonly digest: Uint8Array
}
/** `cost`: distinct new salts, or requests (`strict`). With cost 0 nothing new was given. */
export type QuotaDecision =
  | { granted: true; state: QuotaState; cost: number }
  | { granted: false; retryAfterMs: number }
type QuotaRule<Q> = (state: QuotaState | undefined, question: Q, nowMs: number) => QuotaDecision

/** The buckets of one requester. A request is granted when every bucket grants it. */
export interface QuotaPlan<Q> {
  /** How long an entry is kept, because no rule looks further back. */
  readonly keptMs: number
  /** Names the requesters of a shard that share a bucket; their requests are charged one at a time. */
  line(from: QuotaRequester): string
  /** The requester's own bucket first, then those that it shares. */
  buckets(from: QuotaRequester): readonly { readonly name: string; readonly rule: QuotaRule<Q> }[]
}
/** The networks of a requester, from the smallest to the largest; equal for IPv4. */
export interface QuotaRequester {
  /** A token paid for this request, so only the bucket of the shard counts. */
  readonly isPaid?: boolean
  readonly subnet: string
  readonly prefix: string
  readonly fence: string
}
export interface EvaluationQuestion {
  readonly epochs: readonly number[]
  /** Elements of each epoch, with their padding. */
  readonly batch: number
  /** Evaluations that the node makes for one shard and epoch. */
  readonly ceiling: number
}

const NONE = new Uint8Array(0)
/** The bucket of a whole shard. No network begins with this word. */
const EVERYBODY = 'everybody'

export const rolling: QuotaRule<SaltQuestion> = distinctSalts(SALT_REFILL_MS)

export const strict: QuotaRule<SaltQuestion> = (state, { digest }, nowMs) => {
  const bucket = pour(state?.spentUntilMs, STRICT_INTERVAL_MS, STRICT_INTERVAL_MS, nowMs)
  if (bucket.retryAfterMs === 0) {
    return { granted: true, state: { spentUntilMs: bucket.spentUntilMs, had: new Map(), digest }, cost: 1 }
  }
  if (state !== undefined && equalBytes(state.digest, digest)) return { granted: true, state, cost: 0 }
  return { granted: false, retryAfterMs: bucket.retryAfterMs }
}

const QUOTA_RULES = { rolling, strict } as const
export type QuotaName = keyof typeof QUOTA_RULES

/** Salts: an IPv4 address, or an IPv6 /56 inside a /48. */
export function saltQuota(name: QuotaName): QuotaPlan<SaltQuestion> {
  return {
    keptMs: SALT_WINDOW_MS,
    line: ({ fence }) => fence,
    buckets: ({ prefix, fence }) =>
      distinct({ name: prefix, rule: QUOTA_RULES[name] }, { name: fence, rule: fenceRule }),
  }
}

/**
 * Evaluations of `devices` for each address: an IPv4 address, or an IPv6 /64 inside a /56 and a /48. The last bucket is the
 * shard's.
 */
export function evaluationQuota(devices: number): QuotaPlan<EvaluationQuestion> {
  const [own, around] = [devices, devices * FENCE_FACTOR].map((count) => evaluations(EVALUATION_REFILL_MS / count)) as [
    QuotaRule<EvaluationQuestion>,
    QuotaRule<EvaluationQuestion>,
  ]
  const shard = { name: EVERYBODY, rule: evaluationCeiling }
  return {
    keptMs: EVALUATION_ROOM_MS,
    line: () => EVERYBODY,
    buckets: ({ isPaid = false, subnet, prefix, fence }) =>
      isPaid
        ? [shard]
        : distinct({ name: subnet, rule: own }, { name: prefix, rule: around }, { name: fence, rule: around }, shard),
  }
}

/** The buckets of an IPv4 address have one name, and only its own counts. */
function distinct<B extends { readonly name: string }>(...buckets: readonly B[]): B[] {
  return buckets.filter(({ name }, i) => buckets.findIndex((other) => other.name === name) === i)
}

/** A bucket of evaluations that gains one each `refillMs`, and has room for so many milliseconds. */
function evaluations(refillMs: number, roomMs = EVALUATION_ROOM_MS): QuotaRule<EvaluationQuestion> {
  return (state, { epochs, batch }, nowMs) => {
    const count = epochs.length * batch
    const bucket = pour(state?.spentUntilMs, Math.ceil(count * refillMs), roomMs, nowMs)
    if (bucket.retryAfterMs > 0) return { granted: false, retryAfterMs: bucket.retryAfterMs }
    return { granted: true, state: { spentUntilMs: bucket.spentUntilMs, had: new Map(), digest: NONE }, cost: count }
  }
}

/** The bucket of one device, opened by a token. */
export const deviceQuota: QuotaRule<EvaluationQuestion> = evaluations(
  TOKEN_REFILL_MS,
  DEVICE_EVALUATIONS * TOKEN_REFILL_MS,
)

/** The rule of a whole shard. An epoch gains no room, so the next room comes with the next epoch. */
const evaluationCeiling: QuotaRule<EvaluationQuestion> = (state, { epochs, batch, ceiling }, nowMs) => {
  // Only a damaged entry has a time: it counts as full.
  if (state !== undefined && state.spentUntilMs > nowMs) {
    return { granted: false, retryAfterMs: state.spentUntilMs - nowMs }
  }
  const made = openEpochs(state, nowMs)
  for (const epoch of epochs) made.set(epoch, (made.get(epoch) ?? 0) + batch)
  if (epochs.some((epoch) => made.get(epoch)! > ceiling)) {
    return { granted: false, retryAfterMs: (timeToEpoch(nowMs) + 1) * EPOCH_MS - nowMs }
  }
  return { granted: true, state: { spentUntilMs: 0, had: made, digest: NONE }, cost: epochs.length * batch }
}

/** The rule of a whole fence, whatever the rule of its prefixes. */
export const fenceRule: QuotaRule<SaltQuestion> = distinctSalts(SALT_REFILL_MS / FENCE_FACTOR)

/** One bucket of distinct salts that gains one salt each `refillMs` and is full after the salt window. */
function distinctSalts(refillMs: number): QuotaRule<SaltQuestion> {
  return (state, { masks }, nowMs) => {
    const had = openEpochs(state, nowMs)
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

/** The counts of epochs whose secrets still exist, because nothing of others can be asked for again. */
function openEpochs(state: QuotaState | undefined, nowMs: number): Map<number, number> {
  return new Map([...(state?.had ?? [])].filter(([epoch]) => nowMs < epochToSecretSpan(epoch).to))
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
