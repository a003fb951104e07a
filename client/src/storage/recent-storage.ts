/**
 * A storage that remembers what was read and written last: a receiver gives a fix every second, and nearly all of them
 * ask for the same few entries again. A question costs IndexedDB half a millisecond of the page's thread.
 * Right because one owner at a time holds a storage.
 */
import { boundedMap } from '@geotrace/core-wasm/wire'
import type { Storage } from './storage.ts'

/** Entries, present or known to be absent; large ones go back to the disk. */
const ENTRIES_MAX = 128
const BYTES_MAX = 256

export function recentStorage(inner: Storage): Storage {
  const recent = boundedMap<string, Uint8Array | undefined>(ENTRIES_MAX)
  /** Batches begun: a read that one overtook may be of before it. */
  let batches = 0

  function remember(key: string, value: Uint8Array | undefined): void {
    recent.delete(key)
    if (value !== undefined && value.length > BYTES_MAX) return
    recent.set(key, value)
  }

  return {
    async get(key) {
      if (recent.has(key)) {
        const value = recent.get(key)
        remember(key, value)
        return value?.slice()
      }
      const before = batches
      const value = await inner.get(key)
      if (before === batches) remember(key, value?.slice())
      return value
    },
    async batch(operations) {
      batches++
      // Until it is known to have happened, and for good when it failed, only the disk can tell.
      for (const { key } of operations) recent.delete(key)
      await inner.batch(operations)
      batches++
      for (const operation of operations) {
        remember(operation.key, operation.type === 'put' ? operation.value.slice() : undefined)
      }
    },
    range: (prefix) => inner.range(prefix),
    close: () => inner.close(),
  }
}
