/**
 * Where reporters have been, as the federation published it: asks members, and checks each answer. PROTOCOL.md §9.6, §9.9. A
 * member that is asked learns that a device at this address looks at the spread, and nothing else. Throws PEER_UNREACHABLE.
 */
import { FederationError } from '@geotrace/core-wasm'
import { findSpreads, type RuledPeriod, type SpreadView, toSpreadView } from '@geotrace/core-wasm/spread'
import { DAY_MS, manifestToId, ROSTER_PROTOCOL, type RosterChain, timeToEpoch } from '@geotrace/core-wasm/wire'
import { cellToLatLng } from 'h3-js'
import type { Device } from '../device/device.ts'
import { storedRosters } from '../salts/rosters.ts'
import { shuffle } from '../salts/shuffle.ts'

/** Members asked, one after the other. One of them may withhold the counts. */
const MEMBERS_ASKED = 3

/** A period without counts. Times are Unix ms. */
export interface UncountedPeriod {
  fromMs: number
  untilMs: number
  /** Contributions below which a period is not counted. */
  minimum: number
}
export interface SpreadOverview {
  /** False when the federation counts no places. */
  isCounted: boolean
  /** Periods with verified counts that ended within the last 14 days, newest first. */
  periods: SpreadView[]
  /** Periods of that time without counts: too few took part, or the count is not finished. */
  missing: UncountedPeriod[]
  /** The period under way. */
  running: UncountedPeriod | undefined
  /** Answers that were refused, because they are not those of the teller. */
  refused: number
}

export async function readSpreads(device: Device): Promise<SpreadOverview> {
  const { dialer, clock, manifest, random, lock } = device
  const rosters = device.rosters?.newest === undefined ? await lock(() => storedRosters(device)) : device.rosters
  const nowMs = clock.now()
  const inForce = rosters.inForce(timeToEpoch(nowMs)) ?? noRosters(rosters)
  const session = await dialer.open()
  try {
    const members = shuffle(inForce.roster.members, random).slice(0, MEMBERS_ASKED)
    const { found, missing, running, faults } = await findSpreads({
      inForce: rosters.inForce,
      federation: manifestToId(manifest),
      nowMs,
      peers: members.map((peer) => (frame) => session.request(peer, ROSTER_PROTOCOL, frame)),
    })
    return {
      isCounted: inForce.roster.spread !== undefined,
      periods: found.map((item) => toSpreadView(item, cellToPlace, nowMs)),
      missing: missing.map(toUncounted),
      running: running && toUncounted(running),
      refused: faults.length,
    }
  } finally {
    await session.close()
  }
}

function noRosters({ recent }: RosterChain): never {
  const what = recent.length === 0 ? 'no roster' : 'no roster of today'
  throw new FederationError('PEER_UNREACHABLE', `this device knows ${what}: sync first`, { tried: 0 })
}

function toUncounted({ period, rule }: RuledPeriod): UncountedPeriod {
  const { periodDays, minimum } = rule.spread
  return { fromMs: period * DAY_MS, untilMs: (period + periodDays) * DAY_MS, minimum }
}

function cellToPlace(cell: string): { lat: number; lng: number } {
  const [lat, lng] = cellToLatLng(cell)
  return { lat, lng }
}
