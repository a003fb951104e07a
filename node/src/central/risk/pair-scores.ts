/**
 * The running scores of pairs of a source and a target. PROTOCOL.md §8. Pure. A pair keeps one number, its score until
 * the score crosses the threshold. The pair's matches are not kept.
 */
import type { User } from '../store/central-store.ts'

export interface PairScores {
  /** Adds a match; call it in ascending order of epochs. Returns whether this match crosses the threshold. */
  add(source: User, target: User, weight: number): boolean
  isCrossed(source: User, target: User): boolean
  readonly size: number
}

const CROSSED = -1
/** Users are u32, so the number of a source and a user make one exact number. */
const USERS = 2 ** 32

/** For at most 2^21 sources. */
export function pairScores(threshold: number, sources: Iterable<User>): PairScores {
  const numbers = new Map<User, number>()
  for (const user of sources) numbers.set(user, numbers.size)
  const scores = new Map<number, number>()
  const toKey = (source: User, target: User): number => numbers.get(source)! * USERS + target
  return {
    add(source, target, weight) {
      const key = toKey(source, target)
      const before = scores.get(key) ?? 0
      if (before === CROSSED) return false
      const isCrossing = before + weight >= threshold
      scores.set(key, isCrossing ? CROSSED : before + weight)
      return isCrossing
    },
    isCrossed: (source, target) => scores.get(toKey(source, target)) === CROSSED,
    get size() {
      return scores.size
    },
  }
}
