/** The diary as shown to its owner: each fix with its state. README "The tracer". */
import type { Fix } from '@geotrace/core-wasm'
import type { Storage } from '../storage/storage.ts'
import { type DiaryState, readFixes, toDiaryState } from './fix-states.ts'

export interface DiaryEntry extends Fix {
  state: DiaryState
}

interface DiarySource {
  readonly storage: Storage
  /** Unix ms. */
  readonly now: () => number
  /** True when the rows of a hashed fix must not go out yet. */
  readonly isHeld: (fix: Fix, nowMs: number) => boolean
}

/** Oldest first. */
export async function* readDiaryEntries({ storage, now, isHeld }: DiarySource): AsyncIterable<DiaryEntry> {
  for await (const kept of readFixes(storage)) {
    const nowMs = now()
    yield { ...kept.fix, state: toDiaryState(kept, nowMs, (fix) => isHeld(fix, nowMs)) }
  }
}
