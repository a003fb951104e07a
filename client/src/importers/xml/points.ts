/** Reads the points of an XML track one by one: GPX and TCX differ only in their tags and fields. Throws IMPORT_INVALID, ABORTED. */
import type { PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { offsetToLine } from '../line.ts'
import { type XmlPart, xmlParts } from './parts.ts'

export async function readXmlPoints(
  text: string,
  intake: Intake,
  names: Parameters<typeof xmlParts>[1],
  readPoint: (text: string, part: XmlPart) => PositionFields,
): Promise<void> {
  let closed = false
  for (const part of xmlParts(text, names)) {
    if (part.kind === 'close') closed = true
    if (part.kind !== 'element') continue
    const place = { line: () => offsetToLine(text, part.start) }
    if (part.complete) intake.take(place, () => readPoint(text, part))
    else intake.leaveOut(place, 'malformed', 'the point has no end')
    if (intake.isTurnDue) await intake.turn()
  }
  intake.cutOff = !closed
}
