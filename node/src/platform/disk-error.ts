/**
 * Tells faults of the disk from damage and from mistakes, for databases and files. README "Errors". LevelDB names the
 * cause of a failed write in its message only.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm/wire'

/** A failed disk rarely recovers sooner. */
const RETRY_MS = 1_000
const FAULT_CODES: ReadonlySet<unknown> = new Set(['EIO', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM'])
const FAULT = /Input\/output error|Too many open files|Permission denied|Read-only file system/

/** Whether LevelDB found damage during a read. */
function isLevelCorruption(error: unknown): boolean {
  return errorChain(error).some(({ code }) => code === 'LEVEL_CORRUPTION')
}

/** Whether the disk or the machine failed, which says nothing about the content of the files. */
export function isDiskFault(error: unknown): boolean {
  const chain = errorChain(error)
  return isDiskFull(error) || chain.some(({ code, message }) => FAULT_CODES.has(code) || FAULT.test(message ?? ''))
}

/** Whether the disk had no space for a write. LevelDB tells that in the message only. */
export function isDiskFull(error: unknown): boolean {
  return errorChain(error).some(
    ({ code, message }) =>
      code === 'ENOSPC' || code === 'EDQUOT' || /No space left on device|Disk quota exceeded/.test(message ?? ''),
  )
}

/** The error of a failed read or write of a database or file, for its caller. Other errors come back as they are. */
export function toDiskError(error: unknown, what: string): unknown {
  if (isLevelCorruption(error)) {
    const text = `a database is damaged (${what}); restore the last backup`
    return new FederationError('STORAGE_CORRUPT', text, { what }, { cause: error })
  }
  if (isDiskFull(error)) {
    const text = `the disk is full (${what}); free some space`
    return new FederationError('STORAGE_FULL', text, { what }, { cause: error })
  }
  const isLevel = errorChain(error).some(({ code }) => String(code).startsWith('LEVEL_'))
  if (isFederationError(error) || !(isLevel || isDiskFault(error))) return error
  const text = `the disk failed a read or a write (${what}); check the disk`
  return new FederationError('BUSY', text, { retryAfterMs: RETRY_MS }, { cause: error })
}

/** The code of an error for a log: no message, because a message may contain a path. */
export function toCode(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  if (typeof code === 'string') return code
  return error instanceof Error ? error.name : 'unknown'
}

export function errorChain(error: unknown): { code?: unknown; message?: string }[] {
  return error instanceof Error ? [error, ...errorChain(error.cause)] : []
}
