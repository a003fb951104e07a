/** The events of a tracer. README "Events". A listener that throws does not stop the sync or another listener. */
import type { Fix } from '@geotrace/core-wasm'
import type { Exposure } from './exposures/exposure.ts'
import type { RecordResult } from './record.ts'
import type { SyncProgress, SyncResult } from './sync-result.ts'

export interface TracerEvents {
  recorded: { fix: Fix; result: RecordResult }
  progress: SyncProgress
  synced: SyncResult
  /** After a sync that found the device's clock off by more than five minutes: the federation's time minus the clock, ms. */
  clock: { offsetMs: number }
  /** After a sync that brought marks or took some back: all exposures. */
  exposures: Exposure[]
}

export interface Emitter {
  emit<E extends keyof TracerEvents>(event: E, data: TracerEvents[E]): void
  /** Returns a function that ends the listening. */
  on<E extends keyof TracerEvents>(event: E, listener: (data: TracerEvents[E]) => void): () => void
}

export function emitter(): Emitter {
  const listeners = new Map<keyof TracerEvents, Set<(data: never) => void>>()
  return {
    on(event, listener) {
      const own = listeners.get(event) ?? new Set()
      listeners.set(event, own.add(listener))
      return () => void own.delete(listener)
    },
    emit(event, data) {
      for (const listener of listeners.get(event) ?? []) {
        try {
          listener(data as never)
        } catch (error) {
          // Thrown again in a microtask, where the runtime reports uncaught errors. The sync goes on.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
