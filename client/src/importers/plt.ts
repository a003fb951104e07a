/**
 * Reads Geolife tracks: six header lines, then `lat,lng,0,altitude ft,days,date,time`, UTC, no accuracy. Source: Microsoft
 * Research, GeoLife GPS trajectory dataset, user guide 1.3. Throws IMPORT_INVALID, ABORTED.
 */
import { EntryError } from './fields/entry-error.ts'
import type { PositionFields } from './fields/position.ts'
import type { Intake } from './intake.ts'

const HEADER_LINES = 6
const COLUMNS = 7

export async function readPlt(text: string, intake: Intake): Promise<void> {
  const lines = text.split(/\r?\n/)
  if (lines[0]?.startsWith('OziExplorer') === true) {
    throw intake.invalid(1, 'this is a track of OziExplorer, not of Geolife; export the track as GPX')
  }
  if (lines[0]?.startsWith('Geolife') !== true) {
    throw intake.invalid(
      1,
      'the first line of a Geolife track is expected to start with "Geolife"; choose a Geolife track',
    )
  }
  for (const [i, line] of lines.entries()) {
    if (i < HEADER_LINES || line.trim() === '') continue
    intake.take({ line: () => i + 1 }, () => readRow(line))
    if (intake.isTurnDue) await intake.turn()
  }
}

function readRow(line: string): PositionFields {
  const columns = line.split(',')
  if (columns.length !== COLUMNS) {
    throw new EntryError('malformed', `seven columns are expected, not ${columns.length}`)
  }
  const [lat, lng, , , , date, time] = columns
  return { lat, lng, time: `${date} ${time}Z` }
}
