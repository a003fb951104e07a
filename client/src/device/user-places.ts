/** The user's own places: homes marked by hand, zones drawn. README "Home and zones". Throws RangeError. */
import { bytesToHex } from '@geotrace/core-wasm/wire'
import type { Place } from '../redaction/place.ts'
import type { HomePreview, HomeStatus } from '../redaction/redaction.ts'
import type { Zone, ZoneShape } from '../redaction/zones.ts'
import type { Device } from './device.ts'

/** More homes than any user has. */
const HOMES_MAX = 20
const ZONE_ID_BYTES = 8

export interface HomeControl {
  status(): HomeStatus
  /** Today's home zone as H3 indexes of resolution 10. Show it to the user; never send it. */
  zone(): string[]
  /** Hides this place. Home is then known, so held deposits go out. */
  mark(place: Place): Promise<void>
  /** The zone that marking this place would hide, and how far the place is from the known nights. Changes nothing. */
  preview(place: Place): HomePreview
  /** Forgets one home marked by hand, or all of them. Learnt homes stay. */
  unmark(place?: Place): Promise<void>
}

export interface ZoneControl {
  list(): Zone[]
  /** The new zone's id. */
  add(shape: ZoneShape): Promise<string>
  remove(id: string): Promise<void>
}

export function homeControl(device: Device): HomeControl {
  return {
    status: () => device.redactor.homeStatus(device.clock.now()),
    zone: () => device.redactor.homeZone(device.clock.now()),
    preview(place) {
      assertPlace(place)
      return device.redactor.previewHome(place)
    },
    async mark(place) {
      assertPlace(place)
      const { lat, lng } = place
      await device.lock(async () => {
        const { marked } = device.redactor.homeStatus(device.clock.now())
        if (marked.length >= HOMES_MAX)
          throw new RangeError(`homes expected at most ${HOMES_MAX}; unmark them before marking another`)
        await device.redactor.setHomes([...marked, { lat, lng }])
      })
    },
    unmark: (place) =>
      device.lock(() => {
        const { marked } = device.redactor.homeStatus(device.clock.now())
        const isOther = ({ lat, lng }: Place): boolean => lat !== place?.lat || lng !== place.lng
        return device.redactor.setHomes(place === undefined ? [] : marked.filter(isOther))
      }),
  }
}

function assertPlace({ lat, lng }: Place): void {
  // The message names no position, because messages end up in logs.
  if (!(Math.abs(lat) <= 90) || !Number.isFinite(lng)) throw new RangeError('home expected a position in degrees')
}

export function zoneControl(device: Device): ZoneControl {
  return {
    list: () => device.redactor.zones(),
    async add(shape) {
      const { assertZoneShape, ZONES_MAX } = await import('../redaction/zones.ts')
      assertZoneShape(shape)
      const id = bytesToHex(device.random(ZONE_ID_BYTES))
      await device.lock(async () => {
        const zones = device.redactor.zones()
        if (zones.length >= ZONES_MAX)
          throw new RangeError(`zones expected at most ${ZONES_MAX}; remove one before adding another`)
        await device.redactor.setZones([...zones, { id, shape }])
      })
      return id
    },
    remove: (id) =>
      device.lock(() => device.redactor.setZones(device.redactor.zones().filter((zone) => zone.id !== id))),
  }
}
