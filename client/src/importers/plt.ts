/**
 * Reads Geolife tracks: six header lines, then `lat,lng,0,altitude ft,days,date,time`, UTC, no accuracy. Source: Microsoft
 * Research, GeoLife GPS trajectory dataset, user guide 1.3. Throws IMPORT_INVALID.
 */
import type { Fix } from '@geotrace/core-wasm'
import { importInvalid } from './import-error.ts'
import { fieldsToFix } from './position.ts'

const HEADER_LINES = 6
const COLUMNS = 7

export function pltToFixes(text: string): Fix[] {
  const lines = text.split(/\r?\n/)
  if (!lines[0]?.startsWith('Geolife'))
    throw importInvalid(1, 'the first line of a Geolife track is expected to start with "Geolife"')
  const fixes: Fix[] = []
  for (const [i, line] of lines.entries()) {
    if (i < HEADER_LINES || line.trim() === '') continue
    const columns = line.split(',')
    if (columns.length !== COLUMNS) throw importInvalid(i + 1, `seven columns expected, got ${columns.length}`)
    const [lat, lng, , , , date, time] = columns as [string, string, string, string, string, string, string]
    fixes.push(fieldsToFix({ lat, lng, time: `${date} ${time}` }, i + 1))
  }
  if (fixes.length === 0) throw importInvalid(0, 'the track has no fixes')
  return fixes
}
