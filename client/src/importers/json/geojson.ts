/**
 * Reads GeoJSON (RFC 7946) with times as common exports write them. A Point has its time in its properties; a LineString or
 * MultiPoint has a list of times as long as its coordinates, as togeojson and Leaflet's TimeDimension write it.
 */
import { EntryError } from '../fields/entry-error.ts'
import type { PositionFields } from '../fields/position.ts'
import type { Intake } from '../intake.ts'
import { anyMember, isPresent, items, type JsonValue, member, toNamedFields, toText } from './value.ts'

/** Names of the list of times: togeojson, first and second generation, and Leaflet's TimeDimension. */
const TIMES_NAMES = ['coordTimes', 'times', 'timestamps']
/** Geometries inside collections of geometries. RFC 7946 advises against even one level. */
const DEPTH_MAX = 4

export function takeFeature(feature: JsonValue, intake: Intake): void {
  takeGeometry(member(feature, 'geometry'), member(feature, 'properties'), intake, 0)
}

function takeGeometry(geometry: JsonValue, properties: JsonValue, intake: Intake, depth: number): void {
  if (!isPresent(geometry)) {
    intake.leaveOut(geometry, 'no-position', 'the feature has no geometry')
    return
  }
  const type = member(geometry, 'type')
  const coordinates = member(geometry, 'coordinates')
  switch (type.value) {
    case 'Point':
      intake.take(coordinates, () => ({ ...toNamedFields(properties), ...toPosition(coordinates) }))
      return
    case 'MultiPoint':
    case 'LineString':
      takeLine(coordinates, toTimes(properties), properties, intake)
      return
    case 'MultiLineString': {
      const times = items(toTimes(properties))
      for (const [i, line] of items(coordinates).entries()) {
        takeLine(line, times[i] ?? { ...line, value: undefined }, properties, intake)
      }
      return
    }
    case 'GeometryCollection':
      if (depth === DEPTH_MAX) {
        intake.leaveOut(geometry, 'malformed', 'the collections are nested too deeply')
        return
      }
      for (const part of items(member(geometry, 'geometries'))) takeGeometry(part, properties, intake, depth + 1)
      return
    case 'Polygon':
    case 'MultiPolygon':
      intake.leaveOut(geometry, 'no-fix', 'the feature is an area')
      return
    default:
      intake.leaveOut(type, 'malformed', 'a kind of geometry of RFC 7946 is expected')
  }
}

/** `coordTimes`, or `coordinateProperties.times` as newer togeojson writes. */
function toTimes(properties: JsonValue): JsonValue {
  const own = anyMember(properties, TIMES_NAMES)
  return isPresent(own) ? own : anyMember(member(properties, 'coordinateProperties'), TIMES_NAMES)
}

/** A line whose times cannot be assigned to its positions is one entry. */
function takeLine(coordinates: JsonValue, times: JsonValue, properties: JsonValue, intake: Intake): void {
  if (!isPresent(times)) {
    intake.leaveOut(coordinates, 'no-time', 'the line has no list of times')
    return
  }
  const [positions, moments] = [items(coordinates), items(times)]
  if (positions.length !== moments.length) {
    const detail = `${positions.length} times are expected, as many as positions, not ${moments.length}`
    intake.leaveOut(times, 'malformed', detail)
    return
  }
  for (const [i, position] of positions.entries()) {
    intake.take(position, () => {
      const { accuracies = [] } = toNamedFields(properties)
      return { ...toPosition(position), time: toText(moments[i]!, 'time-unreadable'), accuracies }
    })
  }
}

function toPosition(position: JsonValue): PositionFields {
  if (!isPresent(position)) return {}
  if (!Array.isArray(position.value)) throw new EntryError('position-unreadable', 'a list of degrees is expected')
  const [lng, lat] = items(position)
  const toDegrees = (field: JsonValue | undefined) => field && toText(field, 'position-unreadable')
  return { lat: toDegrees(lat), lng: toDegrees(lng) }
}
