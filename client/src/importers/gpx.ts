/**
 * Reads GPX 1.0 and 1.1: the points of tracks and routes that have a time. Parsed by fast-xml-parser. Points without a time
 * are left out. Throws IMPORT_INVALID, also when no point of a file has a time.
 */
import type { Fix } from '@geotrace/core-wasm'
import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { importInvalid } from './import-error.ts'
import { fieldsToFix } from './position.ts'

interface GpxPoint {
  '@lat'?: string
  '@lon'?: string
  time?: string
}
interface GpxFile {
  gpx?: { trk?: { trkseg?: { trkpt?: GpxPoint[] }[] }[]; rte?: { rtept?: GpxPoint[] }[] }
}

const LISTS = ['trk', 'trkseg', 'trkpt', 'rte', 'rtept']

export function gpxToFixes(text: string): Fix[] {
  const { gpx } = parseGpx(text)
  if (gpx === undefined) throw importInvalid(0, 'the file is not GPX')
  const tracks = gpx.trk?.flatMap((track) => track.trkseg?.flatMap((segment) => segment.trkpt ?? []) ?? []) ?? []
  const routes = gpx.rte?.flatMap((route) => route.rtept ?? []) ?? []
  const points = [...tracks, ...routes]
  if (points.length === 0) throw importInvalid(0, 'the file has no track and no route')
  const timed = points.filter((point) => typeof point.time === 'string')
  if (timed.length === 0) throw importInvalid(0, 'no point of the file has a time; export the track with times')
  return timed.map((point) => {
    const { '@lat': lat = '', '@lon': lng = '', time = '' } = point
    return fieldsToFix({ lat, lng, time }, pointToLine(text, point))
  })
}

function parseGpx(text: string): GpxFile {
  const valid = XMLValidator.validate(text)
  if (valid !== true) throw importInvalid(valid.err.line, `the file is not XML: ${valid.err.msg}`)
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '@',
    parseTagValue: false,
    processEntities: false,
    removeNSPrefix: true,
    captureMetaData: true,
    isArray: (name) => LISTS.includes(name),
  })
  return withoutBlanks(parser.parse(text))
}

/** The parser gives an element without children as an empty text, and files contain empty `trkseg` elements. */
function withoutBlanks(file: GpxFile): GpxFile {
  const { gpx } = file
  if (typeof gpx !== 'object') return {}
  const trk = gpx.trk?.filter((track) => typeof track === 'object')
  for (const track of trk ?? []) {
    if (track.trkseg !== undefined) track.trkseg = track.trkseg.filter((segment) => typeof segment === 'object')
  }
  return { gpx: { ...(trk && { trk }), ...(gpx.rte && { rte: gpx.rte.filter((route) => typeof route === 'object') }) } }
}

function pointToLine(text: string, point: object): number {
  const meta = (point as Record<symbol, { startIndex?: number } | undefined>)[XMLParser.getMetaDataSymbol() as symbol]
  return text.slice(0, meta?.startIndex ?? 0).split('\n').length
}
