/**
 * Reads Google's location history: `Records.json` of Takeout (until 2024), `Timeline.json` of Android and
 * `location-history.json` of iOS (since then). Only measured positions are taken. A `visit` is left out, because it names the
 * place that Google assumed, not where the phone was.
 */
import { EntryError } from '../fields/entry-error.ts'
import type { PositionFields } from '../fields/position.ts'
import { textToMoment } from '../fields/time.ts'
import type { Intake } from '../intake.ts'
import { anyMember, isPresent, items, type JsonValue, member, toNamedFields, toText } from './value.ts'

const MINUTE_MS = 60_000
const E7 = 1e7
/** The first releases wrote negative E7 values as unsigned 32-bit numbers. */
const E7_WRAPPED = 2 ** 32

/** An entry of `$.locations`. An entry that only lists WiFi has no position. */
export function takeRecord(record: JsonValue, intake: Intake): void {
  const [lat, lng] = [member(record, 'latitudeE7'), member(record, 'longitudeE7')]
  if (!isPresent(lat) && !isPresent(lng)) {
    intake.leaveOut(record, 'no-fix', 'the record has no position')
    return
  }
  intake.take(record, () => ({ ...toNamedFields(record), lat: fromE7(lat, 90), lng: fromE7(lng, 180) }))
}

/** Degrees of a field in ten-millionths. */
export function fromE7(field: JsonValue, limit: number): string | undefined {
  const text = toText(field, 'position-unreadable')
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value)) return text
  return String((value > limit * E7 && value > E7_WRAPPED / 2 ? value - E7_WRAPPED : value) / E7)
}

/** An entry of `$.rawSignals`: positions among WiFi scans and activities. */
export function takeSignal(signal: JsonValue, intake: Intake): void {
  const position = member(signal, 'position')
  if (!isPresent(position)) {
    intake.leaveOut(signal, 'no-fix', 'the signal is no position')
    return
  }
  const place = anyMember(position, ['LatLng', 'latLng'])
  intake.take(place, () => ({ ...toNamedFields(position), ...placeToFields(place) }))
}

/** An entry of `$.semanticSegments`, or of the list that iOS writes. */
export function takeSegment(segment: JsonValue, intake: Intake): void {
  const before = intake.entries
  const start = member(segment, 'startTime')
  for (const point of items(member(segment, 'timelinePath'))) {
    const place = anyMember(point, ['point', 'latLng'])
    intake.take(place, () => ({ ...placeToFields(place), time: toPathTime(point, start) }))
  }
  const activity = member(segment, 'activity')
  takeEnd(member(activity, 'start'), start, intake)
  takeEnd(member(activity, 'end'), member(segment, 'endTime'), intake)
  if (intake.entries === before) intake.leaveOut(segment, 'no-fix', 'the segment is a visit or a memory')
}

function takeEnd(end: JsonValue, time: JsonValue, intake: Intake): void {
  if (!isPresent(end)) return
  // Android wraps a place in an object, iOS does not.
  const place = typeof end.value === 'string' ? end : anyMember(end, ['latLng', 'LatLng'])
  intake.take(place, () => ({ ...placeToFields(place), time: toText(time, 'time-unreadable') }))
}

/** The time of a point, or minutes after the start of its segment, as iOS writes them. */
function toPathTime(point: JsonValue, start: JsonValue): string | undefined {
  const time = toText(member(point, 'time'), 'time-unreadable')
  if (time !== undefined) return time
  const minutes = toText(member(point, 'durationMinutesOffsetFromStartTime'), 'time-unreadable')
  const from = toText(start, 'time-unreadable')
  if (minutes === undefined || from === undefined) return undefined
  const at = textToMoment(from).at + Number(minutes) * MINUTE_MS
  if (!Number.isFinite(at))
    throw new EntryError('time-unreadable', `"${minutes.slice(0, 40)}" is not a number of minutes`)
  return new Date(at).toISOString()
}

/** `51.5°, -0.1°` on Android, `geo:51.5,-0.1` on iOS. */
function placeToFields(place: JsonValue): PositionFields {
  const text = toText(place, 'position-unreadable')
  if (text === undefined) return {}
  const [lat, lng, ...rest] = text.replace(/^geo:/, '').split(',')
  if (lng === undefined || rest.length > 0) {
    throw new EntryError('position-unreadable', `"${text.slice(0, 40)}" is not a latitude and a longitude`)
  }
  return { lat, lng }
}
