/** Names that the user gave to places. They are stored on the device alone. README "The tracer". Throws RangeError. */
import { distanceM, type Place } from '../redaction/place.ts'
import { decodeRecord, encodeRecord, KEYS } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'

export interface NamedPlace extends Place {
  readonly name: string
}

export interface PlaceNameControl {
  list(): Promise<NamedPlace[]>
  /** Names the place and all within 100 m. A blank name removes theirs. Throws RangeError. */
  set(place: Place, name: string): Promise<void>
}

/** Places nearer than this to each other have one name. */
const REACH_M = 100
/** More names than any user gives. */
const NAMES_MAX = 500
const NAME_CHARACTERS_MAX = 60

export async function readPlaceNames(storage: Storage): Promise<NamedPlace[]> {
  const bytes = await storage.get(KEYS.placeNames)
  return bytes === undefined ? [] : decodeRecord<NamedPlace[]>(KEYS.placeNames, bytes)
}

/** Names the place, or forgets its name when `name` is blank. Call with the device's lock held. */
export async function writePlaceName(storage: Storage, { lat, lng }: Place, name: string): Promise<void> {
  const text = name.trim()
  if (text.length > NAME_CHARACTERS_MAX) {
    throw new RangeError(`"name" expected at most ${NAME_CHARACTERS_MAX} characters, got ${text.length}`)
  }
  // The message names no position, because messages end up in logs.
  if (!(Math.abs(lat) <= 90) || !Number.isFinite(lng)) throw new RangeError('"place" expected a position in degrees')
  const others = (await readPlaceNames(storage)).filter((place) => distanceM(place, { lat, lng }) >= REACH_M)
  if (text !== '' && others.length >= NAMES_MAX) {
    throw new RangeError(`names expected at most ${NAMES_MAX}; remove one before adding another`)
  }
  await storage.batch([
    put(KEYS.placeNames, encodeRecord(text === '' ? others : [...others, { lat, lng, name: text }])),
  ])
}

/** The name of the nearest named place within reach. Pure. */
export function toPlaceName(places: readonly NamedPlace[], place: Place): string | undefined {
  let best: { name: string; apart: number } | undefined
  for (const known of places) {
    const apart = distanceM(known, place)
    if (apart < REACH_M && apart < (best?.apart ?? REACH_M)) best = { name: known.name, apart }
  }
  return best?.name
}
