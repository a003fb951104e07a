/** Asks many peers, a bounded number at a time, until enough have answered. */

/** Peers asked at the same time: enough to hide a slow peer, few enough to cause no burst. */
export const FAN_OUT = 16

/**
 * Calls `ask` for every item, at most `FAN_OUT` at a time. Resolves when all calls are done, or when `enough()` holds
 * after one of them; calls still running then continue without effect. A rejected `ask` counts as no answer.
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
