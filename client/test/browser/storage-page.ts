/** The functions of the page that storage-suite.ts calls. */
import { deviceKey, encryptedStorage, isFederationError, levelStorage, type Storage } from '@geotrace/client'

const open = new Map<string, Storage>()
let waiting: AbortController | undefined

/** The result of a step, or the code of its error. */
async function outcome<T>(step: () => Promise<T>): Promise<T | { code: string }> {
  try {
    return await step()
  } catch (error) {
    return { code: isFederationError(error) ? error.code : `${error}` }
  }
}

const page = {
  open: (name: string, { sealed = true, wait = false } = {}) =>
    outcome(async () => {
      waiting = wait ? new AbortController() : undefined
      const level = await levelStorage(name, waiting === undefined ? {} : { wait: waiting.signal })
      open.set(name, sealed ? await encryptedStorage(level, await deviceKey(name)) : level)
      return 'open'
    }),
  stopWaiting: () => waiting?.abort(),
  put: (name: string, entries: Record<string, number[]>) =>
    outcome(async () => {
      const operations = Object.entries(entries).map(([key, value]) => ({
        type: 'put' as const,
        key,
        value: Uint8Array.from(value),
      }))
      await open.get(name)!.batch(operations)
      return 'put'
    }),
  fill: (name: string, bytes: number) =>
    outcome(async () => {
      const value = new Uint8Array(bytes)
      // Random bytes, because LevelDB and IndexedDB compress equal bytes. One call gives 65,536 bytes at most.
      for (let i = 0; i < bytes; i += 65_536) crypto.getRandomValues(value.subarray(i, i + 65_536))
      await open.get(name)!.batch([{ type: 'put', key: 'large', value }])
      return 'put'
    }),
  get: (name: string, key: string) => outcome(async () => [...((await open.get(name)!.get(key)) ?? [])]),
  keys: (name: string, prefix: string) =>
    outcome(async () => {
      const keys: string[] = []
      for await (const [key] of open.get(name)!.range(prefix)) keys.push(key)
      return keys
    }),
  close: (name: string) => open.get(name)!.close(),
  keyIsExtractable: async (name: string) => (await deviceKey(name)).extractable,
  sameKeyTwice: async (name: string) => {
    const data = new Uint8Array(16)
    const iv = new Uint8Array(12)
    const keys = await Promise.all([deviceKey(name), deviceKey(name)])
    const sealed = await Promise.all(keys.map((key) => crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, data)))
    return `${new Uint8Array(sealed[0]!)}` === `${new Uint8Array(sealed[1]!)}`
  },
}

declare global {
  var storagePage: typeof page
}
globalThis.storagePage = page
