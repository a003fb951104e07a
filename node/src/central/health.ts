/**
 * Tells whether the central peer can do its work. Its state, the condition of its store and the room on its disk decide.
 * node/CENTRAL.md "The disk". The log has every change of the store's condition once.
 */
import type { Log } from '../platform/log.ts'
import type { CentralStore, Condition } from './store/central-store.ts'
import type { StoreRoom } from './store-room.ts'

/** `catching-up`: devices get BUSY until enough peers have answered since the start. */
export type PeerState = 'joining' | 'catching-up' | 'serving' | 'leaving' | 'stopped'
/** A state other than `serving` answers /healthz with 503. */
export type PeerHealth = PeerState | 'disk-low' | 'disk-full' | 'disk-failed' | 'store-damaged' | 'store-full'

export interface CentralHealth {
  /** Looks at store and disk. */
  look(state: PeerState): Promise<PeerHealth>
}

interface HealthInit {
  store: Pick<CentralStore, 'condition'>
  room: StoreRoom
  log: Log
}

const CONDITION_TO_HEALTH: Readonly<Record<Exclude<Condition, 'sound'>, PeerHealth>> = {
  full: 'disk-full',
  failed: 'disk-failed',
  damaged: 'store-damaged',
}

export function centralHealth({ store, room, log }: HealthInit): CentralHealth {
  let logged = ''
  return {
    async look(state) {
      await room.look()
      const { condition, parts } = store.condition()
      const line = `${condition} ${parts.join(', ')}`
      if (line !== logged) {
        if (condition !== 'sound') log.error('store.condition', { condition, parts: parts.join(', ') })
        else if (logged !== '') log.info('store.condition', { condition })
        logged = line
      }
      if (state !== 'serving') return state
      if (condition !== 'sound') return CONDITION_TO_HEALTH[condition]
      if (room.disk !== 'enough') return `disk-${room.disk}`
      return (await room.isFull()) ? 'store-full' : state
    },
  }
}
