/** One at a time, in order of arrival: reading, deciding and writing a storage must not interleave. */
export type Mutex = <T>(task: () => Promise<T>) => Promise<T>

export function mutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve()
  return (task) => {
    const next = last.then(task, task)
    last = next.catch(() => undefined)
    return next
  }
}
