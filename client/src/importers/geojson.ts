/**
 * Reads GeoJSON (RFC 7946) with times as common exports write them. A Point has its time in its properties; a LineString or
 * MultiPoint has a list of times as long as its coordinates. Geometries without a time are left out. Throws IMPORT_INVALID.
 */
import type { Fix } from '@geotrace/core-wasm'
import { anyMember, invalidValue, isPresent, items, type JsonValue, member, toText } from './json-value.ts'
import { fieldsToFix } from './position.ts'

/** Names of the time in a Feature's properties: ogr2ogr, QGIS, OwnTracks, Overland, gpsd and mobile loggers. */
const TIME_NAMES = ['time', 'timestamp', 'datetime', 'date_time', 'recorded_at', 'at', 'date']
/** Names of the list of times: togeojson, first and second generation, and Leaflet's TimeDimension. */
const TIMES_NAMES = ['coordTimes', 'times', 'timestamps']
const ACCURACY_NAMES = ['accuracy', 'accuracyM', 'accuracy_m', 'horizontal_accuracy', 'horizontalAccuracy']

export function featureToFixes(feature: JsonValue): Fix[] {
  return geometryToFixes(member(feature, 'geometry'), member(feature, 'properties'))
}

function geometryToFixes(geometry: JsonValue, properties: JsonValue): Fix[] {
  if (!isPresent(geometry)) return []
  const type = member(geometry, 'type')
  const coordinates = member(geometry, 'coordinates')
  switch (type.value) {
    case 'Point': {
      const time = anyMember(properties, TIME_NAMES)
      return isPresent(time) ? [positionToFix(coordinates, time, properties)] : []
    }
    case 'MultiPoint':
    case 'LineString':
      return lineToFixes(coordinates, toTimes(properties), properties)
    case 'MultiLineString': {
      const times = items(toTimes(properties))
      if (times.length === 0) return []
      return items(coordinates).flatMap((line, i) => {
        const own = times[i]
        if (own === undefined) throw invalidValue(line, 'its line has no list of times')
        return lineToFixes(line, own, properties)
      })
    }
    case 'GeometryCollection':
      return items(member(geometry, 'geometries')).flatMap((part) => geometryToFixes(part, properties))
    case 'Polygon':
    case 'MultiPolygon':
      return []
    default:
      throw invalidValue(type, 'a kind of geometry of RFC 7946 is expected')
  }
}

/** `coordTimes`, or `coordinateProperties.times` as newer togeojson writes. */
function toTimes(properties: JsonValue): JsonValue {
  const own = anyMember(properties, TIMES_NAMES)
  return isPresent(own) ? own : anyMember(member(properties, 'coordinateProperties'), ['times', 'coordTimes'])
}

function lineToFixes(coordinates: JsonValue, times: JsonValue, properties: JsonValue): Fix[] {
  if (!isPresent(times)) return []
  const [positions, moments] = [items(coordinates), items(times)]
  if (positions.length !== moments.length) {
    throw invalidValue(times, `${positions.length} times are expected, as many as positions, not ${moments.length}`)
  }
  return positions.flatMap((position, i) =>
    isPresent(moments[i]!) ? [positionToFix(position, moments[i]!, properties)] : [],
  )
}

function positionToFix(position: JsonValue, time: JsonValue, properties: JsonValue): Fix {
  const [lng, lat] = items(position)
  if (lng === undefined || lat === undefined) throw invalidValue(position, 'a position is a longitude and a latitude')
  const accuracy = anyMember(properties, ACCURACY_NAMES)
  const fields = { lat: toText(lat), lng: toText(lng), time: toText(time) }
  return fieldsToFix(
    isPresent(accuracy) ? { ...fields, accuracy: toText(accuracy) } : fields,
    position.line,
    position.path,
  )
}
