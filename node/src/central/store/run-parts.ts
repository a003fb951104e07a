/** The pairs of an epoch in pieces of one run. PROTOCOL.md §8. Pure. */
import { ROW_BYTES } from '@geotrace/core-wasm/wire'
import { blobToRows } from './arrival.ts'
import { PAIR_BYTES, setPair } from './run-bucket.ts'

/** Pairs of one run: two million, and twice as much in the sorter. A larger epoch gets several runs. */
const RUN_BYTES_MAX = PAIR_BYTES << 21
/** The first buffer, which doubles. */
const FIRST_BYTES = PAIR_BYTES << 9

/** Pairs in pieces of one run. */
export async function* pairsToParts(pairs: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < pairs.length; at += RUN_BYTES_MAX) yield pairs.subarray(at, at + RUN_BYTES_MAX)
}

/** The pairs of blobs in pieces of one run. */
export async function* blobsToParts(
  epoch: number,
  blobs: AsyncIterable<[number: number, blob: Uint8Array]>,
  onBlob: () => void,
): AsyncGenerator<Uint8Array> {
  let pairs = new Uint8Array(FIRST_BYTES)
  let used = 0
  for await (const [number, blob] of blobs) {
    onBlob()
    const rows = blobToRows(blob, epoch)
    const more = (rows.length / ROW_BYTES) * PAIR_BYTES
    if (used > 0 && used + more > RUN_BYTES_MAX) {
      yield pairs.slice(0, used)
      used = 0
    }
    if (used + more > pairs.length) {
      const larger = new Uint8Array(2 * pairs.length + more)
      larger.set(pairs)
      pairs = larger
    }
    for (let at = 0; at < rows.length; at += ROW_BYTES, used += PAIR_BYTES) setPair(pairs, used, rows, at, number)
  }
  yield pairs.subarray(0, used)
}
