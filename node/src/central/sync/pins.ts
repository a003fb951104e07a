/**
 * Pins one roster for each epoch, permanently, with the first group of rows that the central peer takes. PROTOCOL.md §4.11.
 * All rows of an epoch then come from one roster's salts. A refused group pins nothing, so nobody can pin a roster that
 * is not in force here. While this peer may lack a roster, it pins nothing either. Throws BUSY.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import {
  DEPOSIT_WINDOW_MS,
  EPOCH_MS,
  equalBytes,
  FederationError,
  hashToRosterName,
  type Pin,
  ROSTER_NAME_BYTES,
  type Signer,
  signPin,
} from '@geotrace/core-wasm/wire'
import type { Standing } from '../../membership/agreement/standing.ts'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { CentralStore } from '../store/central-store.ts'

interface RosterPinsInit {
  store: Pick<CentralStore, 'pins' | 'putPin'>
  rosters: Pick<RosterStore, 'inForce'>
  federation: Uint8Array
  /** The central peer's key. */
  signer: Signer
  /** Publishes a pin that is durable. */
  publish(pin: Pin): void
  /** Whether this peer knows the rosters that the others know. */
  standing(): Standing
}
export interface RosterPins {
  of(epoch: number): Pin | undefined
  /** The name of the pinned roster or of the one in force; zeros when no roster is in force. */
  name(epoch: number): Uint8Array
  /**
   * Whether rows under the roster of this name are taken. Pins the epoch when that is not decided yet and this peer is
   * `current`. Throws BUSY while it is `checking`, because it will be current within seconds.
   */
  take(epoch: number, roster: Uint8Array): Promise<boolean>
  /** Keeps a pin of ours that another peer gave back, because a restored store may lack it. */
  adopt(pin: Pin): Promise<void>
  /** The pins of epochs that take deposits at `nowMs`, ascending. */
  open(nowMs: number): readonly Pin[]
}

/** Checking an announced roster takes a request to one peer. */
const CHECK_MS = 2_000

export async function rosterPins(init: RosterPinsInit): Promise<RosterPins> {
  const { store, rosters, federation, signer, publish, standing } = init
  const pins = new Map((await store.pins()).map((pin) => [pin.epoch, pin]))
  const exclusive = oneAtATime()
  const isName = ({ roster }: Pin, name: Uint8Array): boolean => equalBytes(hashToRosterName(roster), name)
  const make = async (epoch: number, name: Uint8Array): Promise<boolean> => {
    const known = pins.get(epoch)
    if (known !== undefined) return isName(known, name)
    const certified = rosters.inForce(epoch)
    if (certified === undefined || !equalBytes(hashToRosterName(certified.hash), name)) return false
    const state = standing()
    if (state === 'checking') {
      throw new FederationError('BUSY', 'a newer roster is being checked: sync again', { retryAfterMs: CHECK_MS })
    }
    if (state !== 'current') return false
    const pin = signPin(signer, federation, epoch, certified.hash)
    const kept = await store.putPin(pin)
    pins.set(epoch, kept)
    if (equalBytes(kept.signature, pin.signature)) publish(kept)
    return isName(kept, name)
  }
  return {
    of: (epoch) => pins.get(epoch),
    name(epoch) {
      const hash = pins.get(epoch)?.roster ?? rosters.inForce(epoch)?.hash
      return hash === undefined ? new Uint8Array(ROSTER_NAME_BYTES) : hashToRosterName(hash)
    },
    async take(epoch, name) {
      const known = pins.get(epoch)
      return known === undefined ? await exclusive(() => make(epoch, name)) : isName(known, name)
    },
    async adopt(pin) {
      if (!pins.has(pin.epoch)) pins.set(pin.epoch, await store.putPin(pin))
    },
    open(nowMs) {
      const ended = (epoch: number): boolean => (epoch + 1) * EPOCH_MS < nowMs - DEPOSIT_WINDOW_MS
      return [...pins.values()].filter(({ epoch }) => !ended(epoch)).sort((a, b) => a.epoch - b.epoch)
    },
  }
}
