/**
 * Reads GPX 1.0 and 1.1: the points of tracks and routes. Waypoints are places that somebody marked, so they are no entries.
 * Throws IMPORT_INVALID, ABORTED.
 */

import { namedFields, type PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { attribute, children, namedTexts, onlyTime, parseElement } from './element.ts'
import type { XmlPart } from './parts.ts'
import { readXmlPoints } from './points.ts'

const NAMES = { elements: new Set(['trkpt', 'rtept']), tags: new Set(['gpx']) }

export function readGpx(text: string, intake: Intake): Promise<void> {
  return readXmlPoints(text, intake, NAMES, readPoint)
}

function readPoint(text: string, { start, end, prefix }: XmlPart): PositionFields {
  const point = parseElement(text.slice(start, end))
  // Extensions may have a `time` of another meaning under a prefix of their own.
  const time = onlyTime(children(point, `${prefix}time`))
  const { accuracies = [] } = namedFields(namedTexts(point))
  return { lat: attribute(point, 'lat'), lng: attribute(point, 'lon'), time, accuracies }
}
