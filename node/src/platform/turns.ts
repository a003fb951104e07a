/**
 * Turns: at most `max` tasks of one name at a time, the rest wait in order. Keeps a peer from opening more streams
 * than the other side takes, and two requests of one requester from reading one quota at once.
 */
import { busy } from './busy.ts'

export interface Turns {
  run<T>(name: string, task: () => Promise<T>): Promise<T>
}

interface Queue {
  running: number
  readonly waiting: (() => void)[]
}

/** Throws BUSY when `waitingMax` wait already. */
export function turns(max: number, waitingMax = Number.POSITIVE_INFINITY): Turns {
  const queues = new Map<string, Queue>()
  return {
    async run(name, task) {
      const queue = queues.get(name) ?? { running: 0, waiting: [] }
      queues.set(name, queue)
      // Whoever leaves hands its place to the next, so `running` does not change between the two.
      if (queue.running < max) queue.running++
      else if (queue.waiting.length >= waitingMax) throw busy()
      else await new Promise<void>((resolve) => queue.waiting.push(resolve))
      try {
        return await task()
      } finally {
        const next = queue.waiting.shift()
        if (next !== undefined) next()
        else if (--queue.running === 0) queues.delete(name)
      }
    },
  }
}
