/** Reads the Training Center XML of Garmin, version 2: the track points that have a position. Throws IMPORT_INVALID, ABORTED. */

import { namedFields, type PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { offsetToLine } from '../line.ts'
import { children, namedTexts, nodeToText, onlyTime, parseElement } from './element.ts'
import { type XmlPart, xmlParts } from './parts.ts'

const ELEMENTS = new Set(['Trackpoint'])
const TAGS = new Set(['TrainingCenterDatabase'])

export async function readTcx(text: string, intake: Intake): Promise<void> {
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
  const position = children(point, `${prefix}Position`)[0] ?? ''
  const { accuracies = [] } = namedFields(namedTexts(point))
  return {
    lat: nodeToText(children(position, `${prefix}LatitudeDegrees`)[0]),
    lng: nodeToText(children(position, `${prefix}LongitudeDegrees`)[0]),
    time: onlyTime(children(point, `${prefix}Time`)),
    accuracies,
  }
}
