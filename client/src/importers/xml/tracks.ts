/** Reads tracks in XML. The first element decides between GPX, KML and TCX. Throws IMPORT_INVALID, ABORTED. */

import type { Intake } from '../intake.ts'
import { readGpx } from './gpx.ts'
import { readKml } from './kml.ts'
import { xmlRoot } from './parts.ts'
import { readTcx } from './tcx.ts'

const READERS = new Map([
  ['gpx', readGpx],
  ['kml', readKml],
  ['TrainingCenterDatabase', readTcx],
])

export async function readXml(text: string, intake: Intake): Promise<void> {
  const root = xmlRoot(text)
  const read = root === undefined ? undefined : READERS.get(root)
  if (read !== undefined) return read(text, intake)
  if (root === undefined)
    throw intake.invalid(0, 'the file is not XML; choose a GPX, KML or TCX file', { noTrack: true })
  const page = root.toLowerCase() === 'html'
  const what = page ? 'the file is a web page' : `the file is XML, but its first element is <${root.slice(0, 40)}>`
  throw intake.invalid(0, `${what}; choose a GPX, KML or TCX file`, { noTrack: true })
}
