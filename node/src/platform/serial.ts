/** One thing at a time: all of them, or those with an equal key. A failure concerns its own caller only. */

export type Serial = <T>(work: () => Promise<T>) => Promise<T>

export function serial(): Serial {
  let last: Promise<unknown> = Promise.resolve()
  return (work) => {
    const run = last.then(work, work)
    last = run.catch(() => {})
    return run
  }
}

/** Keeps nothing about a key that nobody waits for. */
export function serialByKey<K>(): <T>(key: K, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<K, { run: Serial; waiting: number }>()
  return async (key, work) => {
    const queue = queues.get(key) ?? { run: serial(), waiting: 0 }
    queues.set(key, queue)
    queue.waiting++
    try {
      return await queue.run(work)
    } finally {
      if (--queue.waiting === 0) queues.delete(key)
    }
  }
}
