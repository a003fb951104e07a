/**
 * One tab at a time: IndexedDB lets many open the same database, and two tracers on one would send things twice. The
 * browser gives a Web Lock back when its tab is closed, crashes or is killed.
 */
import { FederationError } from '@geotrace/core-wasm'

/** Resolves, once this tab holds the lock, to what gives it back. Throws STORE_LOCKED at once unless `wait` is given. */
export async function holdTabLock(location: string, wait: AbortSignal | undefined): Promise<() => void> {
  const locks = (globalThis as { navigator?: { locks?: LockManager } }).navigator?.locks
  if (locks === undefined)
    throw new TypeError('the storage needs a secure context (https or localhost): no Web Locks here')
  return new Promise((resolve, reject) => {
    const hold = (lock: Lock | null): Promise<void> | undefined => {
      if (lock !== null) return new Promise((release) => resolve(release))
      reject(new FederationError('STORE_LOCKED', `${location} is open in another tab`, { dir: location }))
      return undefined
    }
    const options = wait === undefined ? { ifAvailable: true } : { signal: wait }
    locks.request(`geotrace/${location}`, options, hold).catch((cause) => {
      reject(new FederationError('ABORTED', 'nobody waits for the storage any more', undefined, { cause }))
    })
  })
}
