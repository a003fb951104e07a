/**
 * Gives each roster a seal key of its own: announces the next key as soon as a roster is certified. PROTOCOL.md §4.8, §7.6.
 * The central peer opens frames with the keys of its two newest rosters. It opens them with the announced key too, because
 * a device may know the next roster first.
 */
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import type { SealKeys } from '@geotrace/core-wasm/seal'
import {
  encodeChange,
  equalBytes,
  type GossipMessage,
  newChange,
  type Roster,
  type Signer,
  signChange,
} from '@geotrace/core-wasm/wire'
import type { RosterStore } from '../../membership/roster-store.ts'
import type { Log } from '../../platform/log.ts'
import type { SealKeyStore, StoredSeal } from './seal-keys.ts'

/** Rosters whose keys open frames. A device that was away holds an older roster and fetches the newest. */
const ROSTERS_OPENED = 2
/** A change that no roster made lapses after a week; then a new key is announced. */
const SEAL_LIFE_EPOCHS = 126

interface ResealingInit {
  readonly keys: SealKeyStore
  readonly rosters: Pick<RosterStore, 'recent' | 'newest' | 'onAdd'>
  /** The central peer's. */
  readonly signer: Signer
  readonly clock: Clock
  readonly log: Log
  say(message: GossipMessage): void
}
export interface Resealing {
  /** The keys that open frames, the newest first. */
  current(): readonly SealKeys[]
  /** False while the newest roster names a key whose secret this peer lost: devices wait for the next roster. */
  isOpen(): boolean
  /** Announces the next key now and after each new roster. */
  start(): Promise<void>
  /** Resolves when no key is being made. */
  settled(): Promise<void>
}

export function resealing({ keys, rosters, signer, clock, log, say }: ResealingInit): Resealing {
  const inTurn = oneAtATime()
  const held = ({ central: { seal } }: Roster): StoredSeal | undefined =>
    keys.all.find(({ key }) => equalBytes(key, seal))

  const announce = async (): Promise<void> => {
    const roster = rosters.newest?.roster
    if (roster === undefined) return
    const next = waiting(keys.all.at(-1), roster) ?? (await makeNext(roster))
    const { key: seal, at, until } = next
    const signed = signChange(newChange(roster.federation, { kind: 'seal', at, until, seal }), signer)
    say({ kind: 'change', change: encodeChange(signed) })
  }
  const makeNext = async ({ central, firstEpoch }: Roster): Promise<StoredSeal> => {
    // A seal counts only when it is later than the last one, also after the clock was set back.
    const at = Math.max(clock.now(), central.sealed + 1, (keys.all.at(-1)?.at ?? 0) + 1)
    const next = await keys.add(at, firstEpoch + SEAL_LIFE_EPOCHS)
    log.info('seal.announced')
    return next
  }
  const follow = (): Promise<void> =>
    inTurn(announce).catch(() => {
      // The key before stays in force. The next roster brings another attempt.
      log.error('seal.not-announced')
    })

  return {
    current() {
      const named = rosters.recent.slice(-ROSTERS_OPENED).reverse()
      return [...new Set([...keys.all.slice(-1), ...named.flatMap(({ roster }) => held(roster) ?? [])])]
    },
    isOpen: () => rosters.newest === undefined || held(rosters.newest.roster) !== undefined,
    async start() {
      rosters.onAdd(({ roster }) => {
        if (held(roster) === undefined) log.warn('seal.lost', { height: roster.height })
        void follow()
      })
      await follow()
    },
    settled: () => inTurn(async () => {}),
  }
}

/** The last key, when a roster can still take its announcement. */
function waiting(last: StoredSeal | undefined, { central, firstEpoch }: Roster): StoredSeal | undefined {
  return last !== undefined && last.at > central.sealed && last.until > firstEpoch ? last : undefined
}
