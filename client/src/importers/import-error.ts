/** The error IMPORT_INVALID: the line that is wrong (0: the whole file), and a sentence for the user. */
import { FederationError } from '@geotrace/core-wasm'

export function importInvalid(line: number, reason: string, cause?: unknown): FederationError<'IMPORT_INVALID'> {
  const where = line > 0 ? `line ${line}: ` : ''
  return new FederationError('IMPORT_INVALID', `${where}${reason}`, { line, reason }, { cause })
}
