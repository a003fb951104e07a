/**
 * The rows of one epoch that no run has yet. PROTOCOL.md §8. In memory are the numbers of their blobs. As long as there is
 * room, a pair (run-bucket.ts) for each row is there too. A probe then reads only the blobs that it needs. A closing reads
 * none.
 */
import { RISK_HASH_BYTES, ROW_BYTES } from '@geotrace/core-wasm/wire'
import { KEPT_BYTES, PAIR_BYTES, setPair } from '../run-bucket.ts'

/** Bytes of pairs of all days: four million rows, which ten thousand people have in some two hours. */
const PAIRS_MAX = 48 << 20
const FIRST_BYTES = 1_024 * PAIR_BYTES
/** Hashes with other first two bytes need no exact look. */
const STARTS = 1 << 16

/** The room that the pairs of all days share. */
export interface PairRoom {
  left: number
}

export function pairRoom(left = PAIRS_MAX): PairRoom {
  return { left }
}

/** The rows that a closing takes over. */
interface TakenRows {
  readonly numbers: readonly number[]
  /** A pair for each row; undefined when the blobs must be read. */
  readonly pairs: Uint8Array | undefined
}

export class OpenRows {
  readonly #room: PairRoom
  /** Ascending. Some blobs may not exist. */
  #numbers: number[] = []
  #pairs: Uint8Array | undefined = new Uint8Array(0)
  #used = 0

  constructor(room: PairRoom) {
    this.#room = room
  }

  /** Adds lower numbers of blobs, which an earlier process left, of whose rows nothing is in memory. */
  addEarlier(numbers: readonly number[]): void {
    if (numbers.length === 0) return
    this.#numbers = [...numbers, ...this.#numbers]
    this.forgetRows()
  }

  /** Call it before the write of the blob, so that a closing that waits for the write knows of it. */
  add(number: number, rows: Uint8Array): void {
    this.#numbers.push(number)
    if (this.#pairs === undefined) return
    const end = this.#used + (rows.length / ROW_BYTES) * PAIR_BYTES
    if (end > this.#pairs.length && !this.#grow(end)) return
    for (let at = 0, to = this.#used; at < rows.length; at += ROW_BYTES, to += PAIR_BYTES)
      setPair(this.#pairs, to, rows, at, number)
    this.#used = end
  }

  /** After a failed write, of which nobody knows whether it is on the disk. Then only the blobs say what there is. */
  forgetRows(): void {
    this.#room.left += this.#pairs?.length ?? 0
    this.#pairs = undefined
    this.#used = 0
  }

  /** Adds the numbers of the blobs that may have one of these hashes (n × 12). */
  find(hashes: Uint8Array, numbers: Set<number>): void {
    if (this.#pairs === undefined) for (const number of this.#numbers) numbers.add(number)
    else findPairs(this.#pairs.subarray(0, this.#used), hashes, numbers)
  }

  /** The rows of the blobs with lower numbers. */
  below(end: number): TakenRows {
    return {
      numbers: this.#numbers.filter((number) => number < end),
      pairs: this.#pairs?.slice(0, this.#endOf(end)),
    }
  }

  /** Removes what a run has now. */
  removeBelow(end: number): void {
    this.#numbers = this.#numbers.filter((number) => number >= end)
    if (this.#pairs === undefined) {
      if (this.#numbers.length === 0) this.#pairs = new Uint8Array(0)
      return
    }
    const left = this.#pairs.slice(this.#endOf(end), this.#used)
    this.#room.left += this.#pairs.length - left.length
    this.#pairs = left
    this.#used = left.length
  }

  /** The end of the pairs of lower numbers, which ascend. */
  #endOf(end: number): number {
    let at = this.#used
    while (at > 0 && toWord(this.#pairs!, at - PAIR_BYTES + KEPT_BYTES) >= end) at -= PAIR_BYTES
    return at
  }

  #grow(bytes: number): boolean {
    const before = this.#pairs!
    const size = Math.max(bytes, FIRST_BYTES, 2 * before.length)
    if (size - before.length > this.#room.left) {
      this.forgetRows()
      return false
    }
    this.#room.left -= size - before.length
    this.#pairs = new Uint8Array(size)
    this.#pairs.set(before.subarray(0, this.#used))
    return true
  }
}

function findPairs(pairs: Uint8Array, hashes: Uint8Array, numbers: Set<number>): void {
  const starts = new Uint8Array(STARTS)
  const wanted = new Set<number>()
  for (let at = 0; at < hashes.length; at += RISK_HASH_BYTES) {
    starts[(hashes[at]! << 8) | hashes[at + 1]!] = 1
    wanted.add(toNumber(hashes, at))
  }
  for (let at = 0; at < pairs.length; at += PAIR_BYTES) {
    if (starts[(pairs[at]! << 8) | pairs[at + 1]!] === 1 && wanted.has(toNumber(pairs, at)))
      numbers.add(toWord(pairs, at + KEPT_BYTES))
  }
}

/** The first 53 bits. */
function toNumber(bytes: Uint8Array, at: number): number {
  return toWord(bytes, at) * 2 ** 21 + (toWord(bytes, at + 4) >>> 11)
}

function toWord(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}
