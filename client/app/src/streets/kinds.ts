/**
 * Which part of a vector tile is drawn, and how. Two schemas are known: Protomaps Basemap (layers `roads`, `places` …) and
 * OpenMapTiles (layers `transportation`, `place` …). Other parts are left out. Pure.
 */
export const KINDS = [
  'green',
  'water',
  'stream',
  'building',
  'border',
  'path',
  'rail',
  'minor',
  'major',
  'motorway',
] as const
export type Kind = (typeof KINDS)[number]

/** Areas are filled, all other kinds are lines. */
export const AREAS: ReadonlySet<Kind> = new Set(['green', 'water', 'building'])

export interface Style {
  /** The name of the colour in the style sheet, after `--map-`. */
  readonly colour: string
  /** Width of the line in metres on the ground, and the least and most pixels. */
  readonly widthM?: number
  readonly minPx?: number
  readonly maxPx?: number
  /** Drawn from this zoom of the camera on. */
  readonly fromZoom: number
  readonly dash?: readonly number[]
  /** A line around the line, so that a road stands out from the ground. */
  readonly edge?: boolean
}

export const STYLES: Readonly<Record<Kind, Style>> = {
  green: { colour: 'green', fromZoom: 8 },
  water: { colour: 'water', fromZoom: 0 },
  stream: { colour: 'water', widthM: 4, minPx: 1, maxPx: 8, fromZoom: 10 },
  building: { colour: 'building', fromZoom: 15 },
  border: { colour: 'line', widthM: 1, minPx: 1, maxPx: 1, fromZoom: 3, dash: [5, 3] },
  path: { colour: 'line', widthM: 1.5, minPx: 1, maxPx: 6, fromZoom: 15, dash: [4, 3] },
  rail: { colour: 'line', widthM: 2, minPx: 1, maxPx: 6, fromZoom: 11 },
  minor: { colour: 'road', widthM: 6, minPx: 1, maxPx: 40, fromZoom: 12.5, edge: true },
  major: { colour: 'road', widthM: 10, minPx: 1.6, maxPx: 60, fromZoom: 8, edge: true },
  motorway: { colour: 'road', widthM: 16, minPx: 2, maxPx: 70, fromZoom: 5, edge: true },
}

export type Properties = Readonly<Record<string, string | number | boolean>>

const ROADS: Readonly<Record<string, Kind>> = {
  // Protomaps, `kind`
  highway: 'motorway',
  major_road: 'major',
  medium_road: 'major',
  minor_road: 'minor',
  // OpenMapTiles, `class`
  motorway: 'motorway',
  trunk: 'motorway',
  primary: 'major',
  secondary: 'major',
  tertiary: 'major',
  minor: 'minor',
  service: 'minor',
  track: 'path',
  // both
  path: 'path',
  rail: 'rail',
  transit: 'rail',
}
const GREENS = new Set(
  'park forest wood grass grassland meadow scrub cemetery garden golf_course nature_reserve national_park pitch farmland orchard allotments recreation_ground village_green wetland'.split(
    ' ',
  ),
)
const LINES_OF_WATER = new Set(['river', 'stream', 'canal', 'drain', 'ditch'])

/** How a feature in the layer of this name is drawn; undefined when it is left out. */
export function featureToKind(layer: string, properties: Properties, isArea: boolean): Kind | undefined {
  const what = `${properties.kind ?? properties.class ?? ''}`
  switch (layer) {
    case 'roads':
    case 'transportation':
      return isArea ? undefined : ROADS[what]
    case 'water':
    case 'waterway':
      if (isArea) return 'water'
      return LINES_OF_WATER.has(what) ? 'stream' : undefined
    case 'landuse':
    case 'landcover':
    case 'natural':
    case 'park':
      return isArea && (layer === 'park' || GREENS.has(what)) ? 'green' : undefined
    case 'building':
    case 'buildings':
      return isArea ? 'building' : undefined
    case 'boundaries':
    case 'boundary':
      return isArea || isWithinCountry(properties) ? undefined : 'border'
    default:
      return undefined
  }
}

/** Level 2 is a country in both schemas. */
function isWithinCountry({ kind, admin_level: level, kind_detail: detail }: Properties): boolean {
  return kind !== 'country' && Number(level ?? detail ?? 2) > 2
}

export type NameKind = 'road' | 'place'

/** Whether the name of a feature is drawn: along a road, or at the point of a place. */
export function featureToNameKind(layer: string, isPoint: boolean): NameKind | undefined {
  if (layer === 'places' || layer === 'place') return isPoint ? 'place' : undefined
  return (layer === 'roads' || layer === 'transportation_name') && !isPoint ? 'road' : undefined
}

const PLACES = [
  'country',
  'region',
  'state',
  'city',
  'locality',
  'town',
  'village',
  'macrohood',
  'suburb',
  'neighbourhood',
  'quarter',
  'hamlet',
]

/** Smaller means more important. The tiles rank places of one kind by population. */
export function placeToRank({ kind, class: type, population_rank: populous, rank }: Properties): number {
  const at = PLACES.indexOf(`${type ?? kind ?? ''}`)
  const within = Number(rank ?? 20 - Number(populous ?? 0))
  return (at < 0 ? PLACES.length : at) * 100 + (Number.isFinite(within) ? within : 99)
}
