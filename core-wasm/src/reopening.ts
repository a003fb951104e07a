/**
 * A database handle that is closed and opened again after a failed write. LevelDB goes on after a failed write to its log:
 * it acknowledges later writes and loses them at the next opening (google/leveldb#1180, measured). So nothing is written
 * or read through a handle whose last write failed. Rethrows the errors of opening and writing.
 */
import { oneAtATime } from './turns.ts'

export interface Reopening<H> {
  /** The open handle. Opens it again first when a write failed. */
  handle(): Promise<H>
  /**
   * Runs one write at a time. After a failure the handle is closed and opened again before the error reaches the caller,
   * so no later write runs on the failed handle. A failed write may still be on the disk afterwards.
   */
  write<T>(task: (handle: H) => Promise<T>): Promise<T>
  /** The error of the last write or opening; undefined as long as the handle is sound. */
  readonly fault: unknown
  close(): Promise<void>
}

interface ReopeningInit<H> {
  /** Opens the handle, the first time and after each failed write. */
  open(): Promise<H>
  close(handle: H): Promise<void>
}

/** Opens the handle. */
export async function reopening<H>({ open, close }: ReopeningInit<H>): Promise<Reopening<H>> {
  const inTurn = oneAtATime()
  let handle: H | undefined = await open()
  let failed: H | undefined
  let fault: unknown
  let attempt: Promise<H> | undefined
  let closed = false

  const again = async (): Promise<H> => {
    try {
      if (failed !== undefined) await close(failed).catch(() => {})
      failed = undefined
      handle = await open()
      fault = undefined
      return handle
    } catch (error) {
      fault = error
      throw error
    } finally {
      attempt = undefined
    }
  }
  const ready = async (): Promise<H> => {
    if (handle !== undefined) return handle
    if (closed) throw new TypeError('the handle was closed: open the database again')
    attempt ??= again()
    return await attempt
  }

  return {
    handle: ready,
    write: (task) =>
      inTurn(async () => {
        const used = await ready()
        try {
          return await task(used)
        } catch (error) {
          fault = error
          failed = used
          handle = undefined
          await ready().catch(() => {})
          throw error
        }
      }),
    get fault() {
      return fault
    },
    close: () =>
      inTurn(async () => {
        closed = true
        await attempt?.catch(() => {})
        const last = handle ?? failed
        handle = undefined
        failed = undefined
        if (last !== undefined) await close(last)
      }),
  }
}
