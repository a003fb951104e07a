/** The error IMPORT_INVALID: the file and the line that are wrong (line 0: the whole file), and a sentence for the user. */
import { FederationError } from '@geotrace/core-wasm'

export interface ImportErrorInit {
  file?: string | undefined
  /** Anything but a track, such as an archive or the settings of another app. A reader of folders may skip the file. */
  noTrack?: boolean | undefined
  cause?: unknown
}

export function importInvalid(
  line: number,
  reason: string,
  { file, noTrack, cause }: ImportErrorInit = {},
): FederationError<'IMPORT_INVALID'> {
  const where = [file, line > 0 ? `line ${line}` : undefined].filter((part) => part !== undefined).join(', ')
  const data = { line, reason, ...(file !== undefined && { file }), ...(noTrack === true && { noTrack }) }
  return new FederationError('IMPORT_INVALID', where === '' ? reason : `${where}: ${reason}`, data, { cause })
}
