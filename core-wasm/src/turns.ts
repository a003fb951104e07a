/**
 * Turns: at most `max` tasks with one key run at the same time, and the others wait in order of arrival. A failed task
 * rejects for its own caller only. Throws BUSY when the queue of a key is full.
 */
import { busy } from './wire/errors.ts'

export interface Turns<K> {
  run<T>(key: K, task: () => Promise<T>): Promise<T>
}

/** Runs one task after the other. */
export type OneAtATime = <T>(task: () => Promise<T>) => Promise<T>

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/** A key without tasks uses no memory. `run` throws BUSY when `waitingMax` tasks wait already. */
export function turns<K>(max: number, waitingMax = Number.POSITIVE_INFINITY): Turns<K> {
  const queues = new Map<K, Queue>()
  return {
    async run(key, task) {
      const queue = queues.get(key) ?? { running: 0, waiting: [] }
      queues.set(key, queue)
      // A finished task hands its place to the next one, so `running` does not change between the two.
      if (queue.running < max) {
        queue.running++
        // A task starts after `run` returns, because callers store the promise and the task may read it.
        await undefined
      } else if (queue.waiting.length >= waitingMax) throw busy()
      else await new Promise<void>((resolve) => queue.waiting.push(resolve))
      try {
        return await task()
      } finally {
        const next = queue.waiting.shift()
        if (next !== undefined) next()
        else if (--queue.running === 0) queues.delete(key)
      }
    },
  }
}

/** Runs tasks one after the other, so that reading, deciding and writing never interleave. */
export function oneAtATime(): OneAtATime {
  const line = turns<undefined>(1)
  return (task) => line.run(undefined, task)
}
