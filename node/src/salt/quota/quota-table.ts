/**
 * The quota that each requester has used, without storing an address. PROTOCOL.md §5.5, §5.10. Throws QUOTA_SPENT.
 * Keys are HMAC-SHA256(quota key, prefix ‖ shard) after a tag of the requester's network, made by the same key; the quota key
 * lives and dies with the seed. The table is on disk, so a restart gives no fresh quota. Its size is bounded. A full table drops
 * entries of the largest network (IPv4 /16, IPv6 /32), so that one network cannot lock out newcomers of others.
 */

import { createHmac } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { oneAtATime, turns } from '@geotrace/core-wasm'
import {
  byteReader,
  bytesToHex,
  byteWriter,
  concatBytes,
  FederationError,
  hexToBytes,
  utf8,
} from '@geotrace/core-wasm/wire'
import { requesterToNetwork } from '../../net/guard/requester.ts'
import type { QuotaDecision, QuotaPlan, QuotaRequester, QuotaState } from './quota.ts'
import type { QuotaDisk } from './quota-disk.ts'

/** About 100 bytes each, so 100 MiB when full: a million requesters of one node in three hours. */
const QUOTA_ENTRIES_MAX = 1_048_576
/** Entries that a full table drops at once, at most half of a network's. One scan thus makes room for many newcomers. */
const DROPPED_MAX = 1_024
/** Bytes of a network's tag. Two networks with one tag would only share the risk of being dropped. */
const TAG_BYTES = 8
const DIGEST_BYTES = 32
const NONE = new Uint8Array(0)
const ENTRY_MAX_BYTES = 8 + 8 + 1 + 255 * 8 + 1 + DIGEST_BYTES + 4

interface Charge extends QuotaRequester {
  readonly quotaKey: Uint8Array
  readonly shard: number
}
export interface QuotaTable<Q> {
  readonly size: number
  charge(charge: Charge & Q, nowMs: number): Promise<void>
  /** Removes entries that no rule looks at any more. */
  sweep(nowMs: number): Promise<void>
  /** Closes the table and its disk. */
  close(): Promise<void>
}

interface Entry extends QuotaState {
  readonly expiresMs: number
}

export async function openQuotaTable<Q>(
  disk: QuotaDisk,
  plan: QuotaPlan<Q>,
  nowMs: number,
  entriesMax = QUOTA_ENTRIES_MAX,
): Promise<QuotaTable<Q>> {
  const { keptMs } = plan
  const perLine = turns<string>(1)
  const counts = new NetworkCounts(disk, entriesMax)

  const read = async (key: Uint8Array, now: number): Promise<Entry | undefined> => {
    const value = await disk.get(key)
    if (value === undefined) return undefined
    const entry = decodeEntry(value)
    if (entry === undefined) {
      // A damaged entry counts as fully spent, so flipping bits on the disk gains no quota.
      const full = { spentUntilMs: now + keptMs, had: new Map(), digest: NONE, expiresMs: now + keptMs }
      await disk.put([[key, encodeEntry(full)]])
      return full
    }
    if (entry.expiresMs <= now) return undefined
    if (entry.expiresMs <= now + keptMs) return entry
    // The clock was set back. A refusal writes nothing, so a time that lies too far ahead would refuse until it comes.
    const capped = { ...entry, spentUntilMs: Math.min(entry.spentUntilMs, now + keptMs), expiresMs: now + keptMs }
    await disk.put([[key, encodeEntry(capped)]])
    return capped
  }

  const sweep = async (now: number): Promise<void> => {
    const gone: Uint8Array[] = []
    counts.clear()
    for await (const [key, value] of disk.entries()) {
      const entry = decodeEntry(value)
      if (entry !== undefined && entry.expiresMs <= now) gone.push(key)
      else counts.add(keyToTag(key), 1)
    }
    await disk.delete(gone)
  }
  await sweep(nowMs)

  return {
    get size() {
      return counts.size
    },
    charge: (charge, now) =>
      perLine.run(`${plan.line(charge)} ${charge.shard}`, async () => {
        const buckets = plan.buckets(charge)
        const keys = buckets.map(({ name }) => requesterToKey(charge.quotaKey, name, charge.shard))
        const entries = await Promise.all(keys.map((key) => read(key, now)))
        const decisions = buckets.map(({ rule }, i) => rule(entries[i], charge, now))
        const states = toStates(decisions, (entries[0]?.expiresMs ?? 0) > now + keptMs / 2)
        if (states === undefined) return
        const fresh = entries.filter((entry) => entry === undefined).length
        await counts.makeRoom(fresh)
        counts.add(keyToTag(keys[0]!), fresh)
        await disk.put(keys.map((key, i) => [key, encodeEntry({ ...states[i]!, expiresMs: now + keptMs })]))
      }),
    sweep,
    close: () => disk.close(),
  }
}

/**
 * Entries of each network, by its tag in hex. Concurrent charges may put the counts off by a few, until the next sweep
 * counts again.
 */
class NetworkCounts {
  readonly #disk: QuotaDisk
  readonly #entriesMax: number
  readonly #inTurn = oneAtATime()
  readonly #counts = new Map<string, number>()
  #size = 0

  constructor(disk: QuotaDisk, entriesMax: number) {
    this.#disk = disk
    this.#entriesMax = entriesMax
  }

  get size(): number {
    return this.#size
  }

  add(tag: string, more: number): void {
    this.#size += more
    const count = (this.#counts.get(tag) ?? 0) + more
    if (count > 0) this.#counts.set(tag, count)
    else this.#counts.delete(tag)
  }

  clear(): void {
    this.#counts.clear()
    this.#size = 0
  }

  /** Drops entries of the largest network until `fresh` more fit. Keys are HMACs, so their order is random. */
  async makeRoom(fresh: number): Promise<void> {
    const isFull = (): boolean => fresh > 0 && this.#size > 0 && this.#size + fresh > this.#entriesMax
    if (!isFull()) return
    await this.#inTurn(async () => {
      while (isFull()) await this.#drop()
    })
  }

  async #drop(): Promise<void> {
    const [tag, most] = [...this.#counts].reduce((a, b) => (b[1] > a[1] ? b : a))
    const keys: Uint8Array[] = []
    for await (const [key] of this.#disk.entries(hexToBytes(tag))) {
      keys.push(key)
      if (keys.length >= Math.min(DROPPED_MAX, most / 2)) break
    }
    await this.#disk.delete(keys)
    // A count without entries is left over from concurrent charges.
    this.add(tag, keys.length > 0 ? -keys.length : -most)
  }
}

/**
 * The states of all buckets after this charge. Undefined when nothing must be written: no new salt was taken and the
 * requester's entry is fresh. Throws QUOTA_SPENT.
 */
function toStates(decisions: readonly QuotaDecision[], isFresh: boolean): QuotaState[] | undefined {
  const states: QuotaState[] = []
  for (const [i, decision] of decisions.entries()) {
    if (!decision.granted) throw spent(decision.retryAfterMs)
    if (i === 0 && decision.cost === 0 && isFresh) return undefined
    states.push(decision.state)
  }
  return states
}

function requesterToKey(quotaKey: Uint8Array, requester: string, shard: number): Uint8Array {
  const hmac = (item: string): Uint8Array => {
    const message = byteWriter(item.length + 2)
      .bytes(utf8(item))
      .u16(shard)
      .finish()
    return new Uint8Array(createHmac('sha256', quotaKey).update(message).digest())
  }
  // No prefix begins with this word, so a tag tells nothing about a key.
  const tag = hmac(`network ${requesterToNetwork(requester)}`).subarray(0, TAG_BYTES)
  return concatBytes(tag, hmac(requester))
}

function keyToTag(key: Uint8Array): string {
  return bytesToHex(key.subarray(0, TAG_BYTES))
}

function encodeEntry({ spentUntilMs, expiresMs, had, digest }: Entry): Uint8Array {
  const writer = byteWriter(ENTRY_MAX_BYTES).time(spentUntilMs).time(expiresMs).u8(had.size)
  for (const [epoch, mask] of had) writer.u32(epoch).u32(mask)
  writer.u8(digest.length).bytes(digest)
  const body = writer.finish()
  return byteWriter(body.length + 4)
    .bytes(body)
    .u32(crc32(body))
    .finish()
}

/** The entry of these bytes; undefined when their checksum is wrong. */
function decodeEntry(bytes: Uint8Array): Entry | undefined {
  const body = Uint8Array.from(bytes.subarray(0, -4))
  if (bytes.length < 4 || byteReader(Uint8Array.from(bytes.subarray(-4))).u32() !== crc32(body)) return undefined
  const reader = byteReader(body)
  const [spentUntilMs, expiresMs] = [reader.time(), reader.time()]
  const had = new Map(Array.from({ length: reader.u8() }, () => [reader.u32(), reader.u32()] as const))
  return { spentUntilMs, expiresMs, had, digest: reader.bytes(reader.u8()) }
}

/** The refusal of a bucket that is spent. */
export function spent(retryAfterMs: number): FederationError<'QUOTA_SPENT'> {
  return new FederationError(
    'QUOTA_SPENT',
    `the quota of this requester is spent: ask again after ${retryAfterMs} ms`,
    { retryAfterMs },
  )
}
