/** A storage in memory, for tests and demos. It is also the reference of the conformance suite. */
import type { Storage, StorageOperation } from './storage.ts'

export function memoryStorage(): Storage {
  const entries = new Map<string, Uint8Array>()
  return {
    get: async (key) => entries.get(key)?.slice(),
    batch: async (operations) => {
      for (const operation of operations) apply(entries, operation)
    },
    async *range(prefix) {
      const found = [...entries].filter(([key]) => key.startsWith(prefix))
      found.sort(([a], [b]) => (a < b ? -1 : 1))
      for (const [key, value] of found) yield [key, value.slice()]
    },
    close: async () => {},
  }
}

function apply(entries: Map<string, Uint8Array>, operation: StorageOperation): void {
  if (operation.type === 'put') entries.set(operation.key, operation.value.slice())
  else entries.delete(operation.key)
}
