/**
 * The chain of certified rosters on disk. PROTOCOL.md §4.6. Every roster is checked before it is written, and a fork is
 * written too, so that the store stays stopped after a restart. The disk keeps every roster, because a newcomer follows
 * them from the founding; memory keeps the recent ones. Errors: `RosterStore.add`, `openRosterStore`.
 */
import { oneAtATime } from '@geotrace/core-wasm'
import {
  byteReader,
  byteWriter,
  CERTIFICATE_FORM,
  type CertifiedRoster,
  encodeCertifiedRoster,
  type FetchNamed,
  type FetchRoster,
  type Manifest,
  RECENT_MAX,
  type RosterChain,
  RosterFollower,
  type RosterRecords,
  rosterChain,
} from '@geotrace/core-wasm/wire'
import type { Records } from '../platform/file-records.ts'

const FORK_RECORD = 'roster-fork'
/** u32: the height of the newest roster. */
const NEWEST_RECORD = 'roster-newest'

export interface RosterStore extends Omit<RosterChain, 'add' | 'check' | 'checkStep' | 'take' | 'restore'> {
  /** Two rosters of one period were certified: the store adds nothing more. */
  readonly isForked: boolean
  /** Checks the next roster, writes it and takes it. True if it is new. Throws ROSTER_INVALID, ROSTER_FORKED. */
  add(certified: CertifiedRoster): Promise<boolean>
  /** Adds the next rosters of one peer, as many as it has. Throws as `add` and as `fetch`. */
  follow(fetch: FetchRoster): Promise<void>
  /** Looks from this height down for the place where a peer's rosters part from ours. Throws as `follow`. */
  lookBack(fetch: FetchRoster, height: number): Promise<void>
  /** Fetches the roster of this name, also an overtaken one; true when the store knows it afterwards. Throws as `follow`. */
  fetchNamed(fetch: FetchNamed, name: Uint8Array): Promise<boolean>
  /** The certificate of this height, encoded, also of a roster that is not in memory. Throws STORAGE_CORRUPT. */
  certificate(height: number): Promise<Uint8Array | undefined>
  /** Calls `fn` after each roster that is added. */
  onAdd(fn: (certified: CertifiedRoster) => void): void
  /** Calls `fn` after a certified roster came that a later one had overtaken before. */
  onOvertaken(fn: () => void): void
}

/** Throws ROSTER_INVALID or STORAGE_CORRUPT when the rosters on disk are not a valid chain. */
export async function openRosterStore(manifest: Manifest, records: Records): Promise<RosterStore> {
  const chain = rosterChain(manifest)
  const listeners: ((certified: CertifiedRoster) => void)[] = []
  const overtakenListeners: (() => void)[] = []
  const follower = new RosterFollower({
    chain,
    form: CERTIFICATE_FORM,
    records: rosterRecords(records),
    turn: oneAtATime(),
    onTake(path) {
      for (const item of path) for (const listener of listeners) listener(item)
    },
    onOvertaken() {
      for (const listener of overtakenListeners) listener()
    },
  })
  await follower.restore()
  return {
    get recent() {
      return chain.recent
    },
    get overtaken() {
      return chain.overtaken
    },
    get nextHeight() {
      return chain.nextHeight
    },
    founding: chain.founding,
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
    startingAt: chain.startingAt,
    inForce: chain.inForce,
    pinnable: chain.pinnable,
    pinnableUntil: chain.pinnableUntil,
    add: (certified) => follower.add(certified),
    follow: (fetch) => follower.follow(fetch),
    lookBack: (fetch, height) => follower.lookBack(fetch, height),
    fetchNamed: (fetch, name) => follower.fetchNamed(fetch, name),
    async certificate(height) {
      const known = chain.at(height)
      if (known !== undefined) return encodeCertifiedRoster(known)
      // Above the newest roster, files of an overtaken branch may lie.
      return height < chain.nextHeight ? await records.get(recordName(height)) : undefined
    },
    onAdd: (fn) => void listeners.push(fn),
    onOvertaken: (fn) => void overtakenListeners.push(fn),
  }
}

function rosterRecords(records: Records): RosterRecords {
  return {
    async first() {
      const newest = await records.get(NEWEST_RECORD)
      return newest === undefined ? 0 : Math.max(0, byteReader(newest).u32() - RECENT_MAX + 1)
    },
    get: (height) => records.get(recordName(height)),
    async put(kept) {
      for (const { height, bytes } of kept) await records.put(recordName(height), bytes)
      await records.put(NEWEST_RECORD, byteWriter(4).u32(kept.at(-1)!.height).finish())
    },
    getFork: () => records.get(FORK_RECORD),
    putFork: (encoded) => records.put(FORK_RECORD, encoded),
  }
}

function recordName(height: number): string {
  return `roster-${height}`
}
