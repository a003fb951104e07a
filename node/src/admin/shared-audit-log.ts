/**
 * The audit log that all processes of the central peer share. node/CENTRAL.md "Audit". The lines form a chain as in
 * audit-log.ts, and each is a record of the store. A process adds the next line only where none is, so the chain has one
 * order. Throws STORAGE_FULL, BUSY, NODE_NOT_RUNNING.
 */
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import { type AuditLog, type CheckedLog, checkLines, START, toChained, toLine } from './audit-log.ts'
import type { SharedValues } from './staff/kept-text.ts'

/** Lines that are read at once. */
const CHUNK = 64

export function sharedAuditLog(shared: () => SharedValues, clock: Pick<Clock, 'now'>): AuditLog {
  const inTurn = oneAtATime()
  /** The lines of all processes, as far as this one knows. */
  let count = 0
  return {
    append: (action, details = {}) =>
      inTurn(async () => {
        if (count === 0) count = await countLines(shared())
        for (;;) {
          const newest = count === 0 ? undefined : await readLine(shared(), count)
          // After a damaged line, which the check names, the chain begins anew.
          const previous = (newest && toLine(newest)?.hash) ?? START
          const line = JSON.stringify(toChained({ at: clock.now(), action, details, previous }))
          const isAdded = await shared().changeRecord(toName(count + 1), new TextEncoder().encode(line), undefined)
          count++
          if (isAdded) return
        }
      }),
    close: () => inTurn(async () => {}),
  }
}

export async function readSharedAuditLog(shared: Pick<SharedValues, 'record'>): Promise<CheckedLog> {
  return await checkLines(readLines(shared))
}

async function* readLines(shared: Pick<SharedValues, 'record'>): AsyncGenerator<string> {
  const count = await countLines(shared)
  for (let first = 1; first <= count; first += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, count - first + 1) }, (_, i) => first + i)
    yield* await Promise.all(numbers.map(async (number) => (await readLine(shared, number)) ?? ''))
  }
}

/** The number of the last line: doubles a bound, then halves the rest. Nothing removes a line. */
async function countLines(shared: Pick<SharedValues, 'record'>): Promise<number> {
  const isThere = async (number: number): Promise<boolean> => (await readLine(shared, number)) !== undefined
  let above = 1
  while (await isThere(above)) above *= 2
  let last = Math.floor(above / 2)
  while (above - last > 1) {
    const middle = Math.floor((last + above) / 2)
    if (await isThere(middle)) last = middle
    else above = middle
  }
  return last
}

async function readLine(shared: Pick<SharedValues, 'record'>, number: number): Promise<string | undefined> {
  const value = await shared.record(toName(number))
  return value && new TextDecoder().decode(value)
}

function toName(number: number): string {
  return `audit/${number}`
}
