/**
 * Reads tracks in JSON: GeoJSON, Google's histories, and objects with a latitude, a longitude and a time, as OwnTracks writes
 * them. The contents decide which it is, because file names vary. Throws IMPORT_INVALID.
 */

import type { Intake } from '../intake.ts'
import { takeFeature } from './geojson.ts'
import { takeTimelineObject } from './semantic-month.ts'
import { jsonStream } from './stream.ts'
import { takeRecord, takeSegment, takeSignal } from './takeout.ts'
import { isObject, isPresent, type JsonValue, member, toNamedFields } from './value.ts'

/** The lists whose entries are read one by one. */
const LISTS: readonly [path: string, take: (item: JsonValue, intake: Intake) => void][] = [
  ['$.features', takeEntry],
  ['$.locations', takeEntry],
  ['$.rawSignals', takeSignal],
  ['$.semanticSegments', takeSegment],
  ['$.timelineObjects', takeTimelineObject],
]
/** The members of a file, or of a line, that is one Feature or one position of OwnTracks. */
const SINGLE = ['type', 'geometry', 'properties', '_type', 'lat', 'lon', 'tst', 'acc']
/** Members of files that lie beside a location history and hold no positions. */
const OTHERS: Readonly<Record<string, string>> = {
  timelineEdits: 'the list of edits of a Google timeline',
  deviceSettings: 'the settings of a Google location history',
  createdTime: 'the settings of a Google location history',
}

interface TrackReader {
  write(bytes: Uint8Array): void
  end(): void
}

export function jsonTrackReader(intake: Intake): TrackReader {
  let single: Record<string, unknown> = {}
  let other: string | undefined
  const paths = {
    object: [...LISTS.map(([path]) => `${path}.*`), ...[...SINGLE, ...Object.keys(OTHERS)].map((name) => `$.${name}`)],
    list: ['$.*'],
  }
  const stream = jsonStream(paths, intake, {
    onValue(item) {
      const take = LISTS.find(([path]) => item.path.startsWith(`${path}[`))?.[1]
      if (take !== undefined) return take(item, intake)
      if (item.path.startsWith('$[')) {
        takeEntry(item, intake)
        return
      }
      const name = item.path.slice(2)
      other ??= Object.hasOwn(OTHERS, name) ? OTHERS[name] : undefined
      single[name] = item.value
    },
    onRoot(line) {
      const isEntry = single.type === 'Feature' || single._type === 'location' || single.lat !== undefined
      if (isEntry) takeEntry({ value: single, path: '$', line }, intake)
      single = {}
    },
  })
  return {
    write: (bytes) => stream.write(bytes),
    end() {
      stream.end()
      if (intake.entries > 0) return
      if (other !== undefined)
        throw intake.invalid(0, `this is ${other}; choose the file with the positions`, { noTrack: true })
      if (intake.cutOff)
        throw intake.invalid(0, 'the file was cut off before its first position; export the file again')
      const known = 'GeoJSON, a location history of Google, or a list of positions'
      throw intake.invalid(0, `the file is neither ${known}; choose a file with positions`, { noTrack: true })
    },
  }
}

/** An entry of a list whose kind its own members show: a Feature, a record, a segment or a plain position. */
function takeEntry(item: JsonValue, intake: Intake): void {
  if (!isObject(item.value)) {
    intake.leaveOut(item, 'malformed', 'an object is expected')
    return
  }
  if (item.value.type === 'Feature' || isObject(item.value.geometry)) {
    takeFeature(item, intake)
    return
  }
  // A record may name an `activity` too, so its own members decide first.
  if (isPresent(member(item, 'latitudeE7')) || isPresent(member(item, 'longitudeE7'))) {
    takeRecord(item, intake)
    return
  }
  if (['startTime', 'timelinePath', 'activity', 'visit'].some((name) => isPresent(member(item, name)))) {
    takeSegment(item, intake)
    return
  }
  // The geolocation API of browsers has the position in `coords` and the time beside it.
  const fields = () => ({ ...toNamedFields(item), ...toNamedFields(member(item, 'coords')) })
  const isPosition = Object.keys(item.value).some((name) => /^lat|^coords$/i.test(name))
  if (isPosition) intake.take(item, fields)
  else intake.leaveOut(item, 'no-fix', 'the entry has no position')
}
