/**
 * A storage that keeps the entries read and written last in memory. A receiver gives a fix every second, and nearly all fixes
 * read the same few entries. One read of IndexedDB takes half a millisecond of the page's thread. The copy is always right,
 * because a storage has one owner at a time.
 */
import { boundedMap } from '@geotrace/core-wasm/wire'
import type { Storage } from './storage.ts'

/** Entries that are present or known to be absent. Larger values are read from the disk each time. */
const ENTRIES_MAX = 128
const BYTES_MAX = 256

export function recentStorage(inner: Storage): Storage {
  const recent = boundedMap<string, Uint8Array | undefined>(ENTRIES_MAX)
  /** Batches begun and ended. A read that overlaps a batch may show the state before it, so it is not kept. */
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
      // During a batch, and after a failed one, only the disk knows the value.
      for (const { key } of operations) recent.delete(key)
      try {
        await inner.batch(operations)
      } finally {
        batches++
      }
      for (const operation of operations) {
        remember(operation.key, operation.type === 'put' ? operation.value.slice() : undefined)
      }
    },
    range: (prefix) => inner.range(prefix),
    close: () => inner.close(),
  }
}
