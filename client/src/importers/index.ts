/**
 * Importers of track files: a file in, fixes and a receipt out. A subpath of its own, so that an app without imports loads no
 * parser.
 * @module
 */
export type { Fix } from '@geotrace/core-wasm'
export { type ImportOptions, importFile, importStream, isTrackFile } from './import-file.ts'
export {
  type ImportReceipt,
  type ImportResult,
  LEFT_OUT_REASONS,
  type LeftOut,
  type LeftOutReason,
} from './receipt.ts'
