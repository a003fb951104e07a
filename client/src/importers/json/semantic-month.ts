/**
 * Reads Google's Semantic Location History, one file a month in Takeout until 2024: the ends and the raw path of each
 * activity. A `placeVisit` is left out except for its raw path, because it names the place that Google assumed.
 */
import type { Intake } from '../intake.ts'
import { fromE7 } from './takeout.ts'
import { anyMember, isPresent, items, type JsonValue, member, toNamedFields, toText } from './value.ts'

/** An entry of `$.timelineObjects`. */
export function takeTimelineObject(object: JsonValue, intake: Intake): void {
  const before = intake.entries
  const activity = member(object, 'activitySegment')
  const duration = member(activity, 'duration')
  takeE7(member(activity, 'startLocation'), anyMember(duration, ['startTimestamp', 'startTimestampMs']), intake)
  takePath(activity, intake)
  takePath(member(object, 'placeVisit'), intake)
  takeE7(member(activity, 'endLocation'), anyMember(duration, ['endTimestamp', 'endTimestampMs']), intake)
  if (intake.entries === before) intake.leaveOut(object, 'no-fix', 'the entry is a visit')
}

function takePath(part: JsonValue, intake: Intake): void {
  for (const point of items(member(member(part, 'simplifiedRawPath'), 'points'))) {
    takeE7(point, anyMember(point, ['timestamp', 'timestampMs']), intake)
  }
}

function takeE7(place: JsonValue, time: JsonValue, intake: Intake): void {
  if (!isPresent(place)) return
  intake.take(place, () => ({
    lat: fromE7(anyMember(place, ['latitudeE7', 'latE7']), 90),
    lng: fromE7(anyMember(place, ['longitudeE7', 'lngE7']), 180),
    time: toText(time, 'time-unreadable'),
    accuracies: toNamedFields(place).accuracies ?? [],
  }))
}
