/**
 * The names that apps give to the fields of a fix: one list for all formats. A name is compared in lower case, without its
 * unit and without anything but letters and digits, so that `Accuracy (m)` and `accuracy_m` are one name.
 */

export type FieldRole = 'lat' | 'lng' | 'time' | 'date' | 'offset' | 'accuracy' | 'northSouth' | 'eastWest'

export interface Field {
  role: FieldRole
  /** A lower rank is the better source when several fields have one role. */
  rank: number
  /** Metres in one unit of an accuracy. */
  metres: number
}

const NAMES: Record<FieldRole, string> = {
  lat: 'lat latitude latdeg latitudedeg latitudedegrees latdegrees latitudens gpslat gpslatitude positionlat',
  lng: 'lng lon long longitude londeg lngdeg longitudedeg longitudedegrees longitudeew gpslon gpslng gpslongitude positionlong',
  time:
    'time timestamp timestampms timems timestamputc timeutc utctime gpstime fixtime datetime datetimeutc utcdatetime ' +
    'recordedat trackedat isotime timeiso at tst utc epoch unixtime',
  date: 'date dateutc utcdate gpsdate localdate',
  offset: 'timeoffset utcoffset zoneoffset timezone timezoneoffset tz',
  accuracy:
    'accuracy acc hacc haccuracy horizontalaccuracy accuracyhorizontal precision horizontalprecision hprecision ' +
    'positionaccuracy locationaccuracy gpsaccuracy accuracyradius errorradius estimatedhorizontalaccuracy ' +
    'horizontalerror positionerror eph ehpe epe hepe uncertainty horizontaluncertainty',
  northSouth: 'ns northsouth latref latituderef lathemisphere latitudehemisphere latns',
  eastWest: 'ew eastwest lonref lngref longituderef lonhemisphere lnghemisphere longitudehemisphere lonew lngew',
}

const UNITS: Readonly<Record<string, number>> = {
  m: 1,
  meter: 1,
  meters: 1,
  metre: 1,
  metres: 1,
  ft: 0.3048,
  feet: 0.3048,
  foot: 0.3048,
  yd: 0.9144,
  yards: 0.9144,
  km: 1000,
  cm: 0.01,
  mm: 0.001,
}

const FIELDS = new Map<string, Field>()
for (const [role, names] of Object.entries(NAMES) as [FieldRole, string][]) {
  for (const [rank, name] of names.split(' ').entries()) FIELDS.set(name, { role, rank, metres: 1 })
}

/** Files repeat a few names millions of times. The bound keeps a hostile file from filling the memory. */
const KNOWN_MAX = 1_000
const known = new Map<string, Field | undefined>()

export function nameToField(name: string): Field | undefined {
  if (known.has(name)) return known.get(name)
  const field = readName(name)
  if (known.size < KNOWN_MAX) known.set(name, field)
  return field
}

/** Metres in one unit, or undefined when the unit is unknown. */
export function unitToMetres(unit: string): number | undefined {
  return Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined
}

function readName(name: string): Field | undefined {
  const lower = name.toLowerCase()
  const unit = /[([{]([^)\]}]*)[)\]}]\s*$/.exec(lower)
  const bare = lower.slice(0, unit?.index ?? lower.length).replaceAll(/[^a-z0-9]/g, '')
  const field = FIELDS.get(bare)
  if (field !== undefined) return { ...field, metres: unitToMetres(unit?.[1]?.trim() ?? '') ?? 1 }
  const [, base = '', suffix = ''] =
    /^([a-z]+?)(?:in)?(m|meters?|metres?|ft|feet|foot|yd|yards|km|cm|mm)$/.exec(bare) ?? []
  const measured = FIELDS.get(base)
  return measured?.role === 'accuracy' ? { ...measured, metres: unitToMetres(suffix) ?? 1 } : undefined
}
