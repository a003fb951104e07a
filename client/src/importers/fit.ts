/**
 * Reads FIT of Garmin: the `record` messages, whose field numbers come from the FIT profile 21. Parsed by fit-file-parser,
 * whose raw reader needs no profile. The importers load this file with the first FIT file. Throws IMPORT_INVALID, ABORTED.
 */
import {
  type FitRawField,
  type FitRawMessage,
  fitTimestampToUnixMilliseconds,
  readFitMessages,
} from 'fit-file-parser/raw'
import type { PositionFields } from './fields/position.ts'
import type { Intake } from './intake.ts'

const RECORD = 20
const FIELDS = { lat: 0, lng: 1, accuracy: 31 }
/** An `sint32` and a `uint8` without a value. */
const NO_SINT32 = 0x7fffffff
const NO_UINT8 = 0xff
const DEGREES_PER_SEMICIRCLE = 180 / 2 ** 31

export async function readFit(bytes: Uint8Array, intake: Intake): Promise<void> {
  for (const message of readMessages(bytes, intake)) {
    intake.take({ line: () => 0, path: `record ${message.messageIndex + 1}` }, () => toFields(message))
    if (intake.isTurnDue) await intake.turn()
  }
}

function readMessages(bytes: Uint8Array, intake: Intake): FitRawMessage[] {
  try {
    return readFitMessages(bytes, { messageNumbers: [RECORD] }).messages
  } catch (error) {
    throw intake.invalid(0, 'the FIT file is damaged or was cut off; copy it from the device again', { cause: error })
  }
}

function toFields({ fields, littleEndian, timestamp }: FitRawMessage): PositionFields {
  const [lat, lng] = [FIELDS.lat, FIELDS.lng].map((number) => toDegrees(fields, number, littleEndian))
  const accuracy = fields.find(({ fieldNumber }) => fieldNumber === FIELDS.accuracy)?.bytes[0]
  const known = accuracy !== undefined && accuracy !== NO_UINT8
  return {
    lat,
    lng,
    time: timestamp === undefined ? undefined : new Date(fitTimestampToUnixMilliseconds(timestamp)).toISOString(),
    accuracies: known ? [{ text: String(accuracy), metres: 1 }] : [],
  }
}

function toDegrees(fields: readonly FitRawField[], number: number, littleEndian: boolean): string | undefined {
  const field = fields.find(({ fieldNumber }) => fieldNumber === number)
  if (field === undefined || field.size !== 4) return undefined
  const value = new DataView(field.bytes.buffer, field.bytes.byteOffset, 4).getInt32(0, littleEndian)
  return value === NO_SINT32 ? undefined : (value * DEGREES_PER_SEMICIRCLE).toFixed(7)
}
