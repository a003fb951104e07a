/**
 * Reads GPX 1.0 and 1.1: the points of tracks and routes. Waypoints are places that somebody marked, so they are no entries.
 * Throws IMPORT_INVALID, ABORTED.
 */

import { namedFields, type PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { offsetToLine } from '../line.ts'
import { attribute, children, namedTexts, onlyTime, parseElement } from './element.ts'
import { type XmlPart, xmlParts } from './parts.ts'

const ELEMENTS = new Set(['trkpt', 'rtept'])
const TAGS = new Set(['gpx'])

export async function readGpx(text: string, intake: Intake): Promise<void> {
  let closed = false
  for (const part of xmlParts(text, { elements: ELEMENTS, tags: TAGS })) {
    if (part.kind === 'close') closed = true
    if (part.kind !== 'element') continue
    const place = { line: () => offsetToLine(text, part.start) }
    if (part.complete) intake.take(place, () => readPoint(text, part))
    else intake.leaveOut(place, 'malformed', 'the point has no end')
    if (intake.isTurnDue) await intake.turn()
  }
  intake.cutOff = !closed
}

function readPoint(text: string, { start, end, prefix }: XmlPart): PositionFields {
  const point = parseElement(text.slice(start, end))
  // Extensions may have a `time` of another meaning under a prefix of their own.
  const time = onlyTime(children(point, `${prefix}time`))
  const { accuracies = [] } = namedFields(namedTexts(point))
  return { lat: attribute(point, 'lat'), lng: attribute(point, 'lon'), time, accuracies }
}
