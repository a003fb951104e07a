/**
 * Importers of track files, apart from the rest because of their parsers: text in, fixes out.
 * @module
 */
export type { Fix } from '@geotrace/core-wasm'
export { csvToFixes } from './csv.ts'
export { gpxToFixes } from './gpx.ts'
export { type ImportOptions, importFile, importStream, isTrackFile } from './import-file.ts'
export { jsonToFixes } from './json-tracks.ts'
export { pltToFixes } from './plt.ts'
