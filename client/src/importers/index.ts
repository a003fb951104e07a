/**
 * Importers of track files: text in, fixes out. A subpath of its own, so that an app without imports loads no parser.
 * @module
 */
export type { Fix } from '@geotrace/core-wasm'
export { csvToFixes } from './csv.ts'
export { gpxToFixes } from './gpx.ts'
export { type ImportOptions, importFile, importStream, isTrackFile } from './import-file.ts'
export { jsonToFixes } from './json-tracks.ts'
export { pltToFixes } from './plt.ts'
