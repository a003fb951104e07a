/**
 * Asking many peers: some at a time, and no longer than needed.
 */

/** Peers asked at once: enough to hide a slow one, few enough not to be a burst. */
export const FAN_OUT = 16

/**
 * Calls `ask` for every item, at most `FAN_OUT` at a time, and resolves when all are done or `enough()` holds after
 * one of them; what is still under way then goes on unheard. `ask` that rejects counts as no answer.
 */
export async function fanOut<T>(
  items: readonly T[],
  ask: (item: T) => Promise<void>,
  enough: () => boolean = () => false,
): Promise<void> {
  if (items.length === 0 || enough()) return
  await new Promise<void>((resolve) => {
    let next = 0
    let running = 0
    let over = false
    const finish = (): void => {
      over = true
      resolve()
    }
    const step = (): void => {
      while (!over && running < FAN_OUT && next < items.length) {
        running++
        ask(items[next++]!)
          .catch(() => {})
          .then(() => {
            running--
            if (enough() || (running === 0 && next === items.length)) finish()
            else step()
          })
      }
    }
    step()
  })
}
