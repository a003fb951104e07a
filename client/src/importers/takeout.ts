/**
 * Reads Google's location history: `Records.json` of Takeout (until 2024), `Timeline.json` of Android and
 * `location-history.json` of iOS (since then). Only measured positions are taken. A `visit` is left out, because it names the
 * place that Google assumed, not where the phone was. Throws IMPORT_INVALID.
 */
import type { Fix } from '@geotrace/core-wasm'
import { anyMember, invalidValue, isPresent, items, type JsonValue, member, toFinite, toText } from './json-value.ts'
import { fieldsToFix, toTime } from './position.ts'

const MINUTE_MS = 60_000
const E7 = 1e7
/** The first releases wrote negative E7 values as unsigned 32-bit numbers. */
const E7_WRAPPED = 2 ** 32

/** An entry of `$.locations`. An entry that only lists WiFi has no position. */
export function recordToFixes(record: JsonValue): Fix[] {
  const [lat, lng] = [member(record, 'latitudeE7'), member(record, 'longitudeE7')]
  if (!isPresent(lat) && !isPresent(lng)) return []
  const time = anyMember(record, ['timestamp', 'timestampMs'])
  const place = { lat: fromE7(toFinite(lat), 90), lng: fromE7(toFinite(lng), 180) }
  return [toFix(record, `${place.lat}`, `${place.lng}`, time, member(record, 'accuracy'))]
}

function fromE7(value: number, limit: number): number {
  return (value > limit * E7 ? value - E7_WRAPPED : value) / E7
}

/** An entry of `$.rawSignals`: positions among WiFi scans and activities. */
export function signalToFixes(signal: JsonValue): Fix[] {
  const position = member(signal, 'position')
  if (!isPresent(position)) return []
  const place = anyMember(position, ['LatLng', 'latLng'])
  const time = anyMember(position, ['timestamp', 'time'])
  return [placeToFix(place, time, anyMember(position, ['accuracyMeters', 'accuracy']))]
}

/** An entry of `$.semanticSegments`, or of the list that iOS writes. */
export function segmentToFixes(segment: JsonValue): Fix[] {
  const start = member(segment, 'startTime')
  const path = items(member(segment, 'timelinePath')).map((point) => {
    const place = anyMember(point, ['point', 'latLng'])
    const time = member(point, 'time')
    if (isPresent(time)) return placeToFix(place, time)
    const minutes = toFinite(member(point, 'durationMinutesOffsetFromStartTime'))
    return placeToFix(place, { ...start, value: toTime(toText(start), start.line, start.path) + minutes * MINUTE_MS })
  })
  const activity = member(segment, 'activity')
  const ends = [
    { place: member(activity, 'start'), time: start },
    { place: member(activity, 'end'), time: member(segment, 'endTime') },
  ]
  const moved = ends.filter(({ place }) => isPresent(place)).map(({ place, time }) => placeToFix(toLatLng(place), time))
  return [...path, ...moved].sort((a, b) => a.at - b.at)
}

/** Android wraps a place in an object, iOS does not. */
function toLatLng(place: JsonValue): JsonValue {
  return typeof place.value === 'string' ? place : anyMember(place, ['latLng', 'LatLng'])
}

/** `51.5°, -0.1°` on Android, `geo:51.5,-0.1` on iOS. */
function placeToFix(place: JsonValue, time: JsonValue, accuracy?: JsonValue): Fix {
  const parts = /^(?:geo:)?\s*(-?[\d.]+)°?\s*,\s*(-?[\d.]+)°?\s*$/.exec(toText(place))
  if (parts === null) throw invalidValue(place, `"${toText(place).slice(0, 40)}" is not a position`)
  return toFix(place, parts[1]!, parts[2]!, time, accuracy)
}

function toFix(at: JsonValue, lat: string, lng: string, time: JsonValue, accuracy?: JsonValue): Fix {
  const fields = { lat, lng, time: toText(time) }
  const known = accuracy !== undefined && isPresent(accuracy)
  return fieldsToFix(known ? { ...fields, accuracy: toText(accuracy) } : fields, at.line, at.path)
}
