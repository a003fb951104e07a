/** The diary as shown to its owner: each fix with its state. README "The tracer". */
import type { Fix } from '@geotrace/core-wasm'
import type { Storage } from '../storage/storage.ts'
import { fixBlockEnd, timeToFixBlock } from './fix-block.ts'
import { type DiaryState, readFixes, toDiaryState } from './fix-states.ts'

export interface DiaryEntry extends Fix {
  state: DiaryState
}

interface DiarySource {
  readonly storage: Storage
  /** Unix ms. */
  readonly now: () => number
  /** Unix ms; older fixes are not shown. */
  readonly hideBefore: () => number
  /** True when the rows of a hashed fix must not go out yet. */
  readonly isHeld: (fix: Fix, nowMs: number) => boolean
}

/** Oldest first. */
export async function* readDiaryEntries({ storage, now, hideBefore, isHeld }: DiarySource): AsyncIterable<DiaryEntry> {
  for await (const kept of readFixes(storage)) {
    const nowMs = now()
    if (fixBlockEnd(timeToFixBlock(kept.fix.at)) <= hideBefore()) continue
    yield { ...kept.fix, state: toDiaryState(kept, nowMs, (fix) => isHeld(fix, nowMs)) }
  }
}
