/** An error in words: the sentence of its code, and for a file that cannot be read the place in the file. */
import { isFederationError } from '@geotrace/core-wasm'
import type { Words } from './en.ts'

/** Errors that are no FederationError keep their own message. */
export function errorToWords(words: Words, error: unknown): string {
  if (isFederationError(error, 'IMPORT_INVALID')) {
    const { file, line, reason } = error.data
    const where = [file, line > 0 ? words.line(line) : undefined].filter((part) => part !== undefined).join(', ')
    return where === '' ? `${reason}.` : `${where}: ${reason}.`
  }
  if (isFederationError(error)) return words.errors[error.code] ?? words.otherError(error.code)
  return error instanceof Error ? error.message : String(error)
}
