/**
 * The buckets that tokens open: one for each token, with the quota of one device for one UTC day. PROTOCOL.md §5.12. A token
 * that comes again finds its bucket again, so spending it twice gives nothing, also after a restart. An entry has a hash of
 * the token and a time, and no address. No entry goes before its day ends: a full table refuses new tokens.
 * Throws TOKEN_REFUSED, QUOTA_SPENT.
 */
import { crc32 } from 'node:zlib'
import { turns } from '@geotrace/core-wasm'
import { byteReader, bytesToHex, byteWriter, concatBytes, DAY_MS, MINUTE_MS } from '@geotrace/core-wasm/wire'
import { type GoodToken, refused } from '../../tokens/token-check.ts'
import { deviceQuota, type EvaluationQuestion } from './quota.ts'
import type { QuotaDisk } from './quota-disk.ts'
import { spent } from './quota-table.ts'

/** About 60 bytes each: a million devices at one node in a day. */
const BUCKETS_MAX = 1_048_576
/** After its day a token may still come for two minutes (token-check.ts). */
const LATE_MS = 5 * MINUTE_MS
const DAY_BYTES = 4

export interface DeviceBuckets {
  /** Charges the bucket of a token that was checked; the write is on the disk when this resolves. */
  charge(token: GoodToken, cost: Cost, nowMs: number): Promise<void>
  /** Removes the buckets of days that are over. */
  sweep(nowMs: number): Promise<void>
  close(): Promise<void>
}
type Cost = Pick<EvaluationQuestion, 'epochs' | 'batch'>

/** Buckets whose disk is opened with the first charge, so that a federation without tokens has none. */
export function deviceBuckets(openDisk: () => Promise<QuotaDisk>): DeviceBuckets {
  let opening: Promise<DeviceBuckets> | undefined
  const open = (nowMs: number): Promise<DeviceBuckets> => {
    opening ??= openDisk()
      .then((disk) => openDeviceBuckets(disk, nowMs))
      .catch((error: unknown) => {
        opening = undefined
        throw error
      })
    return opening
  }
  return {
    charge: async (token, cost, nowMs) => (await open(nowMs)).charge(token, cost, nowMs),
    sweep: async (nowMs) => (await opening)?.sweep(nowMs),
    close: async () => (await opening?.catch(() => undefined))?.close(),
  }
}

export async function openDeviceBuckets(
  disk: QuotaDisk,
  nowMs: number,
  bucketsMax = BUCKETS_MAX,
): Promise<DeviceBuckets> {
  const perToken = turns<string>(1)
  let size = 0

  const sweep = async (now: number): Promise<void> => {
    const gone: Uint8Array[] = []
    let left = 0
    for await (const [key] of disk.entries()) {
      if ((byteReader(key.slice(0, DAY_BYTES)).u32() + 1) * DAY_MS + LATE_MS < now) gone.push(key)
      else left++
    }
    await disk.delete(gone)
    size = left
  }
  await sweep(nowMs)

  return {
    charge: ({ day, name }, cost, now) =>
      perToken.run(bytesToHex(name), async () => {
        const key = concatBytes(byteWriter(DAY_BYTES).u32(day).finish(), name)
        const value = await disk.get(key)
        if (value === undefined && size >= bucketsMax) throw refused('this node has buckets for no more devices today')
        const decision = deviceQuota(value && decode(value, now), { ...cost, ceiling: 0 }, now)
        if (!decision.granted) throw spent(decision.retryAfterMs)
        // Counted before, so that tokens that come at once do not pass the bound together.
        if (value === undefined) size++
        try {
          await disk.put([[key, encode(decision.state.spentUntilMs)]])
        } catch (error) {
          if (value === undefined) size--
          throw error
        }
      }),
    sweep,
    close: () => disk.close(),
  }
}

function encode(spentUntilMs: number): Uint8Array {
  const body = byteWriter(8).time(spentUntilMs).finish()
  return concatBytes(body, byteWriter(4).u32(crc32(body)).finish())
}

/** A damaged entry counts as spent for the rest of the day, so flipping bits on the disk gains no quota. */
function decode(value: Uint8Array, nowMs: number) {
  const body = value.slice(0, -4)
  const isSound = value.length === 12 && byteReader(value.slice(-4)).u32() === crc32(body)
  return { spentUntilMs: isSound ? byteReader(body).time() : nowMs + DAY_MS, had: new Map(), digest: body }
}
