/**
 * Secrets in the device's memory, reused inside the window so that each is asked once. DESIGN.md §9. They are never written
 * to the storage, so that a person who gets hold of the device later finds none.
 */
import type { SecretName, WantedSecret } from './salting.ts'

export interface SaltKeeper {
  get(name: SecretName): Uint8Array | undefined
  keep(wanted: WantedSecret, secret: Uint8Array): void
  /** Wipes the secrets whose time is over. */
  dropOld(nowMs: number): void
  dropAll(): void
}

export function saltKeeper(): SaltKeeper {
  const kept = new Map<SecretName, { untilMs: number; secret: Uint8Array }>()
  function drop(name: SecretName): void {
    kept.get(name)?.secret.fill(0)
    kept.delete(name)
  }
  return {
    get: (name) => kept.get(name)?.secret,
    keep: ({ name, untilMs }, secret) => void kept.set(name, { untilMs, secret }),
    dropOld(nowMs) {
      for (const [name, { untilMs }] of kept) if (untilMs <= nowMs) drop(name)
    },
    dropAll() {
      for (const name of kept.keys()) drop(name)
    },
  }
}
