/**
 * Turns: at most `max` tasks with one key run at the same time, the others wait in order of arrival. A failed task
 * concerns its own caller only. Throws BUSY when the queue of a key is full.
 */
import { busy } from './wire/errors.ts'

export interface Turns<K> {
  run<T>(key: K, task: () => Promise<T>): Promise<T>
}

/** One task after the other. */
export type OneAtATime = <T>(task: () => Promise<T>) => Promise<T>

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/** Keeps nothing about a key without tasks. `run` throws BUSY when `waitingMax` tasks wait already. */
export function turns<K>(max: number, waitingMax = Number.POSITIVE_INFINITY): Turns<K> {
  const queues = new Map<K, Queue>()
  return {
    async run(key, task) {
      const queue = queues.get(key) ?? { running: 0, waiting: [] }
      queues.set(key, queue)
      // A finished task hands its place to the next one, so `running` does not change between the two.
      if (queue.running < max) {
        queue.running++
        // A task never starts before `run` has returned: callers note the promise that the task may look for.
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
