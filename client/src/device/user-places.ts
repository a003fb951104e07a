/** The user's own places: homes marked by hand, zones drawn. README "Home and zones". Throws RangeError. */
import { bytesToHex } from '@geotrace/core-wasm/wire'
import type { Place } from '../redaction/place.ts'
import type { HomeStatus } from '../redaction/redaction.ts'
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
  /** Forgets the homes marked by hand. Learnt homes stay. */
  unmark(): Promise<void>
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
    async mark({ lat, lng }) {
      if (!(Math.abs(lat) <= 90) || !Number.isFinite(lng))
        throw new RangeError(`home expected a position in degrees, got ${lat}, ${lng}`)
      await device.lock(async () => {
        const { marked } = device.redactor.homeStatus(device.clock.now())
        if (marked.length >= HOMES_MAX)
          throw new RangeError(`homes expected at most ${HOMES_MAX}; unmark them before marking another`)
        await device.redactor.setHomes([...marked, { lat, lng }])
      })
    },
    unmark: () => device.lock(() => device.redactor.setHomes([])),
  }
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
