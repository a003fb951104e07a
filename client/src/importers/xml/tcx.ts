/** Reads the Training Center XML of Garmin, version 2: the track points that have a position. Throws IMPORT_INVALID, ABORTED. */

import { namedFields, type PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { children, namedTexts, nodeToText, onlyTime, parseElement } from './element.ts'
import type { XmlPart } from './parts.ts'
import { readXmlPoints } from './points.ts'

const NAMES = { elements: new Set(['Trackpoint']), tags: new Set(['TrainingCenterDatabase']) }

export function readTcx(text: string, intake: Intake): Promise<void> {
  return readXmlPoints(text, intake, NAMES, readPoint)
}

function readPoint(text: string, { start, end, prefix }: XmlPart): PositionFields {
  const point = parseElement(text.slice(start, end))
  const position = children(point, `${prefix}Position`)[0] ?? ''
  const { accuracies = [] } = namedFields(namedTexts(point))
  return {
    lat: nodeToText(children(position, `${prefix}LatitudeDegrees`)[0]),
    lng: nodeToText(children(position, `${prefix}LongitudeDegrees`)[0]),
    time: onlyTime(children(point, `${prefix}Time`)),
    accuracies,
  }
}
