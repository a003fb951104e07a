/**
 * How many evaluations this node made since its start, by shard and epoch, so that a volunteer sees a harvest. PROTOCOL.md
 * §5.10. Only rounded counts leave this file: an exact one would show when a single device of a small region moved.
 */
import { epochToSecretSpan } from '@geotrace/core-wasm/wire'

/** One device makes at most 432 in a burst. */
const ROUNDED_TO = 500

export interface EvaluationCount {
  readonly shard: number
  readonly epoch: number
  /** Rounded up to a multiple of 500. */
  readonly atMost: number
}

export interface EvaluationCounts {
  add(shard: number, epochs: readonly number[], batch: number): void
  /** The shards and epochs with evaluations whose secrets still exist, the most first. */
  list(nowMs: number): EvaluationCount[]
}

export function evaluationCounts(): EvaluationCounts {
  /** By epoch, then by shard. A node has few open epochs, and answers for its own shards only. */
  const counts = new Map<number, Map<number, number>>()
  return {
    add(shard, epochs, batch) {
      for (const epoch of epochs) {
        const own = counts.get(epoch) ?? new Map<number, number>()
        counts.set(epoch, own.set(shard, (own.get(shard) ?? 0) + batch))
      }
    },
    list(nowMs) {
      for (const epoch of counts.keys()) if (nowMs >= epochToSecretSpan(epoch).to) counts.delete(epoch)
      const all = [...counts].flatMap(([epoch, own]) =>
        [...own].map(([shard, count]) => ({ shard, epoch, atMost: Math.ceil(count / ROUNDED_TO) * ROUNDED_TO })),
      )
      return all.sort((a, b) => b.atMost - a.atMost || b.epoch - a.epoch || a.shard - b.shard)
    },
  }
}
