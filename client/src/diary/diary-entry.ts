/** The diary as shown to its owner: each fix with its state. README "The tracer". */
import type { Fix } from '@geotrace/core-wasm'
import type { Storage } from '../storage/storage.ts'
import { fixBlockEnd, timeToFixBlock } from './fix-block.ts'
import { type DiaryState, readFixes, toDiaryState } from './fix-states.ts'

export interface DiaryEntry extends Fix {
  state: DiaryState
}

export interface DiarySource {
  readonly storage: Storage
  /** Unix ms. */
  readonly now: () => number
  /** Unix ms; older fixes are not shown. */
  readonly hideBefore: () => number
  /** The redactor's decision: whether that which is made of a fix may leave the device now. */
  readonly decide: (fix: Fix, nowMs: number) => 'release' | 'hold' | 'drop'
}

/** Oldest first, without the history (history.ts). */
export async function* readDiaryEntries({ storage, now, hideBefore, decide }: DiarySource): AsyncIterable<DiaryEntry> {
  for await (const kept of readFixes(storage)) {
    const nowMs = now()
    if (fixBlockEnd(timeToFixBlock(kept.fix.at)) <= hideBefore()) continue
    yield { ...kept.fix, state: toDiaryState(kept, nowMs, (fix) => decide(fix, nowMs) === 'hold') }
  }
}
