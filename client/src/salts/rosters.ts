/**
 * The rosters that a device follows. PROTOCOL.md §4.6, §7.3. The device receives each roster as a step, makes the body from
 * the roster before, checks the votes of a quorum and keeps the roster. A sync asks one peer for news when the newest
 * roster may not govern all that the sync needs; after weeks the device catches up roster by roster. Two certified rosters
 * of one period stop the device permanently. Errors: see `openRosters`.
 */
import { type Clock, FederationError, isFederationError, oneAtATime } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeRosterReply,
  decodeRosterStep,
  EPOCH_OPENS_BEFORE_MS,
  encodeRosterRequest,
  type FetchRoster,
  followingPeriod,
  type Manifest,
  type PeerAddress,
  peerIdToKey,
  ROSTER_PROTOCOL,
  type RosterChain,
  RosterFollower,
  type RosterRecords,
  type RosterStep,
  STEP_FORM,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'
import { shuffle } from './shuffle.ts'

/** Entries asked in one sync. When 16 random entries are all unreachable, the device itself is offline. */
const ENTRIES_MAX = 16
/** The key of the step to the second roster of a fork. An erasure keeps this step and the rosters. */
const FORK_KEY = `${FAMILIES.roster}fork`

interface RostersInit {
  rosters: RosterChain
  manifest: Manifest
  storage: Storage
  wire: Session
  clock: Clock
  random: (n: number) => Uint8Array
}

/**
 * All rosters, with the rosters of the current blocks if a peer has them. Throws PEER_UNREACHABLE when the device has
 * no roster at all, ROSTER_FORKED, ABORTED, STORAGE_CORRUPT.
 */
export async function openRosters(init: RostersInit): Promise<readonly CertifiedRoster[]> {
  const { rosters, storage } = init
  const records = rosterRecords(storage)
  const follower = new RosterFollower({ chain: rosters, form: STEP_FORM, records, turn: oneAtATime() })
  await restore(follower)
  if (follower.fork !== undefined) throw forked(follower.fork)
  if (isNewsDue(init)) await catchUp(init, follower)
  return rosters.all
}

/**
 * Whether a roster that this device lacks may govern a current block. The next roster begins with the next period at
 * the earliest. Before that, a connection costs as much as a small deposit and can bring nothing.
 */
function isNewsDue({ rosters: { newest }, clock }: RostersInit): boolean {
  if (newest === undefined) return true
  return timeToEpoch(clock.now() + EPOCH_OPENS_BEFORE_MS) >= followingPeriod(newest.roster)
}

/** Asks one peer after the other until one of them has sent all that it knows. */
async function catchUp(init: RostersInit, follower: RosterFollower<RosterStep>): Promise<void> {
  const { rosters, manifest, random } = init
  const entries = shuffle(rostersToEntries(manifest, rosters.newest), random).slice(0, ENTRIES_MAX)
  let last: unknown
  for (const entry of entries) {
    try {
      await follower.follow(stepsOf(init, entry), () => !isNewsDue(init))
      if (rosters.newest !== undefined) return
    } catch (error) {
      if (!isFederationError(error)) throw error
      if (isFederationError(error, 'ABORTED') || isFederationError(error, 'ROSTER_FORKED')) throw error
      last = error
    }
  }
  if (rosters.newest !== undefined) return
  const message = `expected the founding roster from one of ${entries.length} entries, got none: check the connection and sync again`
  const options = last === undefined ? undefined : { cause: last }
  throw new FederationError('PEER_UNREACHABLE', message, { tried: entries.length }, options)
}

function stepsOf({ wire }: RostersInit, entry: PeerAddress): FetchRoster {
  return async (height) =>
    decodeRosterReply(await wire.request(entry, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'step', height })))
}

/** The peers to ask: those of the newest roster, else those of the manifest. */
function rostersToEntries(manifest: Manifest, newest: CertifiedRoster | undefined): PeerAddress[] {
  if (newest !== undefined) return [...newest.roster.members, newest.roster.central]
  return [...manifest.members, manifest.central].map(({ peerId, addresses }) => ({
    key: peerIdToKey(peerId),
    addresses,
  }))
}

function rosterRecords(storage: Storage): RosterRecords {
  return {
    get: (height) => storage.get(rosterKey(height)),
    put: (kept) => storage.batch(kept.map(({ height, bytes }) => put(rosterKey(height), bytes))),
    getFork: () => storage.get(FORK_KEY),
    putFork: (encoded) => storage.batch([put(FORK_KEY, encoded)]),
  }
}

function rosterKey(height: number): string {
  return numberedKey(FAMILIES.roster, height)
}

/** Restores the rosters that this device checked before. Throws STORAGE_CORRUPT. */
async function restore(follower: RosterFollower<RosterStep>): Promise<void> {
  try {
    await follower.restore()
  } catch (cause) {
    if (!isFederationError(cause, 'ROSTER_INVALID')) throw cause
    throw corrupt(rosterKey(follower.chain.all.length), cause)
  }
}

function forked(encoded: Uint8Array): FederationError {
  try {
    const { height } = decodeRosterStep(encoded)
    const message = `expected one certified roster for each period, got a second one of height ${height}: ask the operators which federation goes on`
    return new FederationError('ROSTER_FORKED', message, { height })
  } catch (cause) {
    return corrupt(FORK_KEY, cause)
  }
}

function corrupt(key: string, cause: unknown): FederationError<'STORAGE_CORRUPT'> {
  return new FederationError('STORAGE_CORRUPT', `the record ${key} cannot be read`, { what: key }, { cause })
}
