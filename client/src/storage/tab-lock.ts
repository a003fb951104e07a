/**
 * Lets one tab at a time hold a storage. IndexedDB lets many tabs open one database, and two tracers on one database would
 * deposit rows twice. The browser releases a Web Lock when its tab is closed, crashes or is killed. Throws STORE_LOCKED,
 * ABORTED.
 */
import { FederationError } from '@geotrace/core-wasm'

/** Resolves to a function that releases the lock. Without `wait` it throws STORE_LOCKED at once when another tab has it. */
export async function holdTabLock(location: string, wait: AbortSignal | undefined): Promise<() => void> {
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
  if (locks === undefined)
    throw new TypeError(
      'the storage needs Web Locks, which exist only in a secure context; serve the page by https or from localhost',
    )
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) return new Promise((release) => resolve(release))
      reject(new FederationError('STORE_LOCKED', `${location} is open in another tab`, { dir: location }))
      return undefined
    }
    const options = wait === undefined ? { ifAvailable: true } : { signal: wait }
    locks.request(`geotrace/${location}`, options, hold).catch((cause) => {
      reject(new FederationError('ABORTED', 'waiting for the storage lock was cancelled', undefined, { cause }))
    })
  })
}
