/**
 * The chain of certified rosters on disk. PROTOCOL.md §4.6. Every roster is checked before it is written, and a fork is
 * written too, so that the store stays stopped after a restart. Errors: `RosterStore.add`, `openRosterStore`.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import {
  CERTIFICATE_FORM,
  type CertifiedRoster,
  type FetchRoster,
  type Manifest,
  type RosterChain,
  RosterFollower,
  type RosterRecords,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../platform/file-records.ts'

const FORK_RECORD = 'roster-fork'

export interface RosterStore extends Omit<RosterChain, 'add' | 'check' | 'checkStep' | 'take' | 'restore'> {
  /** Two rosters of one period were certified: the store adds nothing more. */
  readonly isForked: boolean
  /** Checks the next roster, writes it and takes it. True if it is new. Throws ROSTER_INVALID, ROSTER_FORKED. */
  add(certified: CertifiedRoster): Promise<boolean>
  /** Adds the next rosters of one peer, as many as it has. Throws as `add` and as `fetch`. */
  follow(fetch: FetchRoster): Promise<void>
  /** Looks from this height down for the place where a peer's rosters part from ours. Throws as `follow`. */
  lookBack(fetch: FetchRoster, height: number): Promise<void>
  /** Calls `fn` after each roster that is added. */
  onAdd(fn: (certified: CertifiedRoster) => void): void
}

/** Throws ROSTER_INVALID or STORAGE_CORRUPT when the rosters on disk are not a valid chain. */
export async function openRosterStore(manifest: Manifest, records: Records): Promise<RosterStore> {
  const chain = rosterChain(manifest)
  const listeners: ((certified: CertifiedRoster) => void)[] = []
  const follower = new RosterFollower({
    chain,
    form: CERTIFICATE_FORM,
    records: rosterRecords(records),
    turn: oneAtATime(),
    onTake(path) {
      for (const item of path) for (const listener of listeners) listener(item)
    },
  })
  await follower.restore()
  return {
    get all() {
      return chain.all
    },
    get newest() {
      return chain.newest
    },
    get predecessor() {
      return chain.predecessor
    },
    get isForked() {
      return follower.fork !== undefined
    },
    at: chain.at,
    named: chain.named,
    inForce: chain.inForce,
    add: (certified) => follower.add(certified),
    follow: (fetch) => follower.follow(fetch),
    lookBack: (fetch, height) => follower.lookBack(fetch, height),
    onAdd: (fn) => void listeners.push(fn),
  }
}

function rosterRecords(records: Records): RosterRecords {
  return {
    get: (height) => records.get(recordName(height)),
    async put(kept) {
      for (const { height, bytes } of kept) await records.put(recordName(height), bytes)
    },
    getFork: () => records.get(FORK_RECORD),
    putFork: (encoded) => records.put(FORK_RECORD, encoded),
  }
}

function recordName(height: number): string {
  return `roster-${height}`
}
