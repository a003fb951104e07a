/**
 * Pins the roster of a period permanently at the first deposit of that period. PROTOCOL.md §4.6, §7.2.
 * All rows of one epoch then come from one roster's salts. A device that was led to another roster notices it, because
 * the central peer refuses its rows.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import { type CertifiedRoster, hashToRosterName, ROSTER_NAME_BYTES } from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { CentralStore, Pin } from '../store/central-store.ts'

export interface RosterPins {
  /** The name of the pinned roster; pins the period of `epoch` first if necessary. Undefined when no roster is in force. */
  pin(epoch: number): Promise<Uint8Array | undefined>
  /** The name of the pinned roster or of the one in force, without pinning; zeros when no roster is in force. */
  name(epoch: number): Uint8Array
}

export async function rosterPins(store: CentralStore, rosters: Pick<RosterStore, 'inForce'>): Promise<RosterPins> {
  const pins = await store.pins()
  const exclusive = oneAtATime()
  const find = (epoch: number): Pin | undefined =>
    pins.find(({ firstEpoch, epochs }) => epoch >= firstEpoch && epoch < firstEpoch + epochs)
  const make = async (epoch: number): Promise<Uint8Array | undefined> => {
    const known = find(epoch)
    if (known !== undefined) return hashToRosterName(known.roster)
    const certified = rosters.inForce(epoch)
    if (certified === undefined) return undefined
    const pin = toPin(certified, epoch, pins)
    await store.putPin(pin)
    pins.push(pin)
    return hashToRosterName(pin.roster)
  }
  return {
    async pin(epoch) {
      const known = find(epoch)
      return known === undefined ? await exclusive(() => make(epoch)) : hashToRosterName(known.roster)
    },
    name(epoch) {
      const hash = find(epoch)?.roster ?? rosters.inForce(epoch)?.hash
      return hash === undefined ? new Uint8Array(ROSTER_NAME_BYTES) : hashToRosterName(hash)
    },
  }
}

/** A pin for the period of `epoch` under this roster, shortened so that it overlaps no other pin. */
function toPin({ roster, hash }: CertifiedRoster, epoch: number, pins: readonly Pin[]): Pin {
  const start = epoch - (epoch % roster.periodEpochs)
  const first = Math.max(
    start,
    roster.firstEpoch,
    ...pins.map((pin) => pin.firstEpoch + pin.epochs).filter((end) => end <= epoch),
  )
  const end = Math.min(
    start + roster.periodEpochs,
    ...pins.map(({ firstEpoch }) => firstEpoch).filter((at) => at > epoch),
  )
  return { firstEpoch: first, epochs: end - first, roster: hash }
}
