/**
 * Releases replies at fixed times after the arrival of their requests: PROTOCOL.md §7.6. A reply leaves at the end of the
 * slot in which its work ended. The work of every kind of sync ends in the first slot. On a busy machine some work takes
 * longer, and that of a report more often. So requests that arrive together are a group, and all of them take as many slots
 * as the slowest needs. Then the time of a reply does not tell a report, a withdrawal or an erasure from another sync.
 * Throws BUSY.
 */
import type { Clock } from '@geotrace/core-wasm'
import { busy } from '@geotrace/core-wasm/wire'

/**
 * Some ten times what a sync takes while a report is computed and 16 others are answered (2026-11, two shared cores). With
 * 250 ms some replies of a busy peer came a slot later. A relay has seven requests open, so 14 syncs a second go through it.
 */
export const REPLY_SLOT_MS = 500
/** Requests that arrive within this time are a group. On a calm machine their work ends long before their first slot. */
export const GROUP_MS = 100
/** Slots in which a reply waits for its group, so that a disk that stands still stops nobody else for long. */
const GROUP_SLOTS_MAX = 8
/** Replies that wait: with frames of 32 KB they hold 32 MB. */
const WAITING_MAX = 1_024

/** Requests at work. */
interface Group {
  working: number
}

interface ReplySlots {
  /** Runs a task now; its result or its error comes at the end of a slot. Throws BUSY at once when too many wait. */
  run<T>(task: () => Promise<T>): Promise<T>
}

export function replySlots(timer: Pick<Clock, 'setTimer'>, waitingMax = WAITING_MAX): ReplySlots {
  let waiting = 0
  let arriving: Group | undefined
  const slotEnd = (): Promise<void> => new Promise((resolve) => void timer.setTimer(resolve, REPLY_SLOT_MS))
  const join = (): Group => {
    if (arriving === undefined) {
      arriving = { working: 0 }
      timer.setTimer(() => {
        arriving = undefined
      }, GROUP_MS)
    }
    arriving.working++
    return arriving
  }
  return {
    async run(task) {
      if (waiting >= waitingMax) throw busy(REPLY_SLOT_MS)
      waiting++
      // The timer first, so that the slot does not begin after the work that runs at once.
      let end = slotEnd()
      const group = join()
      let isDone = false
      const work = task()
      const done = (): void => {
        isDone = true
        group.working--
      }
      void work.then(done, done)
      try {
        await end
        for (let slots = 1; !isDone || (group.working > 0 && slots < GROUP_SLOTS_MAX); slots++) {
          end = slotEnd()
          await end
        }
        return await work
      } finally {
        waiting--
      }
    },
  }
}
