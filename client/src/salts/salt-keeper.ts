/**
 * Salts in the device's memory, reused inside the window so that a salt is asked once. DESIGN.md §9. They are never written
 * to the storage, so that a person who gets hold of the device later finds none.
 */
import { blockToState } from '@geotrace/core-wasm/wire'
import type { SaltName, WantedSalt } from './plan.ts'

export interface SaltKeeper {
  get(name: SaltName): Uint8Array | undefined
  keep(wanted: WantedSalt, salt: Uint8Array): void
  /** Wipes the salts of blocks outside the window. */
  dropOld(nowMs: number): void
  dropAll(): void
}

export function saltKeeper(): SaltKeeper {
  const kept = new Map<SaltName, { size: number; n: number; salt: Uint8Array }>()
  function drop(name: SaltName): void {
    kept.get(name)?.salt.fill(0)
    kept.delete(name)
  }
  return {
    get: (name) => kept.get(name)?.salt,
    keep: ({ name, size, n }, salt) => void kept.set(name, { size, n, salt }),
    dropOld(nowMs) {
      for (const [name, { size, n }] of kept) if (blockToState(size, n, nowMs) === 'too-old') drop(name)
    },
    dropAll() {
      for (const name of kept.keys()) drop(name)
    },
  }
}
