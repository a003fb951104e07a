/** What a tracer tells those who listen. README "Events". A listener that throws harms nobody but itself. */
import type { Fix } from '@geotrace/core-wasm'
import type { RecordResult } from './diary/record.ts'
import type { Exposure } from './exposures/exposure.ts'
import type { SyncProgress, SyncResult } from './sync-result.ts'

export interface TracerEvents {
  recorded: { fix: Fix; result: RecordResult }
  progress: SyncProgress
  synced: SyncResult
  /** After a sync that brought marks or took some back: all exposures. */
  exposures: Exposure[]
}

export interface Emitter {
  emit<E extends keyof TracerEvents>(event: E, data: TracerEvents[E]): void
  /** Returns what ends it. */
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
          // Thrown again where the host reports what nobody caught; the sync goes on.
          queueMicrotask(() => {
            throw error
          })
        }
      }
    },
  }
}
