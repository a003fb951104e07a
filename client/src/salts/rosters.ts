/**
 * The rosters that a device goes by: it is told each as a step, makes the body from the one before itself, believes it with
 * the votes of a quorum, and keeps it. PROTOCOL.md §4.6, §7.3. A sync asks one peer for news when the newest roster may not govern all that it
 * needs; a device back after weeks catches up roster by roster. Two certified rosters of one period stop it for good
 * (ROSTER_FORKED): nobody can say which is right.
 */
import { type Clock, FederationError, isFederationError } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  decodeRosterStep,
  EPOCH_OPENS_BEFORE_MS,
  encodeCertifiedRoster,
  encodeRosterRequest,
  equalBytes,
  followingPeriod,
  type Manifest,
  type PeerAddress,
  peerIdToKey,
  ROSTER_PROTOCOL,
  type RosterChain,
  type RosterStep,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { Wire } from '../dialers/wire-session.ts'
import { FAMILIES, numberedKey } from '../storage/key-layout.ts'
import { put, type Storage } from '../storage/storage.ts'
import { shuffle } from './shuffle.ts'

/** In one sync: ten years of daily rosters; a peer that has more to say is not telling the truth. */
const CATCH_UP_MAX = 4_000
/** Entries asked in one sync: that so many drawn at random are all away means that the device is. */
const ENTRIES_MAX = 16
/** A month of daily rosters: how far back a fork is looked for, at the cost of one request each. */
const LOOK_BACK_MAX = 30
/** The step to the other roster of a fork; it outlives an erasure as the rosters do. */
const FORK_KEY = `${FAMILIES.roster}fork`

export interface RostersInit {
  rosters: RosterChain
  manifest: Manifest
  storage: Storage
  wire: Wire
  clock: Clock
  random: (n: number) => Uint8Array
}

/**
 * All rosters, those that govern the blocks of now included if they can be had. Throws PEER_UNREACHABLE when there is none at all, ROSTER_FORKED,
 * ABORTED, STORAGE_CORRUPT.
 */
export async function openRosters(init: RostersInit): Promise<readonly CertifiedRoster[]> {
  const { rosters, storage } = init
  await restore(rosters, storage)
  const other = await storage.get(FORK_KEY)
  if (other !== undefined) throw forked(FORK_KEY, other)
  if (isNewsDue(init)) await catchUp(init)
  return rosters.all
}

/**
 * Whether a roster that this device lacks may govern a block of now. The next one begins with the next period at the
 * earliest, so before that there is nothing to hear, and a connection costs as much as a small deposit.
 */
function isNewsDue({ rosters: { newest }, clock }: RostersInit): boolean {
  if (newest === undefined) return true
  return timeToEpoch(clock.now() + EPOCH_OPENS_BEFORE_MS) >= followingPeriod(newest.roster)
}

/** Those that this device checked before. */
async function restore(rosters: RosterChain, storage: Storage): Promise<void> {
  if (rosters.newest !== undefined) return
  for (;;) {
    const key = numberedKey(FAMILIES.roster, rosters.all.length)
    const bytes = await storage.get(key)
    if (bytes === undefined) return
    const certified = readStored(key, () => decodeCertifiedRoster(bytes))
    // What others overtook may be left above; it is not what we go by.
    if (!equalBytes(certified.roster.previous, rosters.predecessor.hash)) return
    readStored(key, () => rosters.restore(certified))
  }
}

/** Asks one peer after the other until one has told all it knows. */
async function catchUp(init: RostersInit): Promise<void> {
  const { rosters, manifest, random } = init
  const entries = shuffle(rostersToEntries(manifest, rosters.newest), random).slice(0, ENTRIES_MAX)
  let last: unknown
  for (const entry of entries) {
    try {
      await follow(init, entry)
      if (rosters.newest !== undefined) return
    } catch (error) {
      if (!isFederationError(error)) throw error
      if (isFederationError(error, 'ABORTED') || isFederationError(error, 'ROSTER_FORKED')) throw error
      last = error
    }
  }
  if (rosters.newest !== undefined) return
  const message = `none of ${entries.length} entries gave the founding roster`
  const options = last === undefined ? undefined : { cause: last }
  throw new FederationError('PEER_UNREACHABLE', message, { tried: entries.length }, options)
}

async function follow(init: RostersInit, entry: PeerAddress): Promise<void> {
  const { rosters } = init
  for (let i = 0; i < CATCH_UP_MAX; i++) {
    const height = rosters.all.length
    const bytes = await fetchStep(init, entry, height)
    if (bytes === undefined) return
    const next = decodeRosterStep(bytes)
    if (!equalBytes(next.previous, rosters.predecessor.hash)) await lookBack(init, entry)
    if (!(await take(init, next))) return
    if (!isNewsDue(init)) return
  }
}

/** Takes a roster in, and with it those that it follows; whether there was anything to take. */
async function take({ rosters, storage }: RostersInit, step: RosterStep): Promise<boolean> {
  const path = rosters.checkStep(step)
  rosters.take(path)
  await storage.batch(
    path.map((item) => put(numberedKey(FAMILIES.roster, item.roster.height), encodeCertifiedRoster(item))),
  )
  return path.length > 0
}

/** The entry goes by another roster than ours: either that one is certified too, or the entry is not telling the truth. */
async function lookBack(init: RostersInit, entry: PeerAddress): Promise<void> {
  const { rosters, storage } = init
  const newest = rosters.all.length - 1
  for (let height = newest; height >= 0 && height > newest - LOOK_BACK_MAX; height--) {
    const bytes = await fetchStep(init, entry, height)
    if (bytes === undefined) return
    try {
      await take(init, decodeRosterStep(bytes))
      return
    } catch (error) {
      if (isFederationError(error, 'ROSTER_FORKED')) await storage.batch([put(FORK_KEY, bytes)])
      // It follows a roster that is not ours either: the fork lies farther back.
      if (!isFederationError(error, 'ROSTER_INVALID')) throw error
    }
  }
}

async function fetchStep({ wire }: RostersInit, entry: PeerAddress, height: number): Promise<Uint8Array | undefined> {
  return decodeRosterReply(await wire.request(entry, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'step', height })))
}

/** Throws STORAGE_CORRUPT. */
function readStored<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new FederationError('STORAGE_CORRUPT', `the record ${key} cannot be read`, { what: key }, { cause })
  }
}

function forked(key: string, bytes: Uint8Array): FederationError<'ROSTER_FORKED'> {
  const { height } = readStored(key, () => decodeRosterStep(bytes))
  return new FederationError(
    'ROSTER_FORKED',
    `two rosters of one period are certified, the other of height ${height}`,
    { height },
  )
}

/** Whom to ask: those of the newest roster, else of the manifest. */
function rostersToEntries(manifest: Manifest, newest: CertifiedRoster | undefined): PeerAddress[] {
  if (newest !== undefined) return [...newest.roster.members, newest.roster.central]
  return [...manifest.members, manifest.central].map(({ peerId, addresses }) => ({
    key: peerIdToKey(peerId),
    addresses,
  }))
}
