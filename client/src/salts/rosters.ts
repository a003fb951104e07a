/**
 * The rosters and pins that a device follows. PROTOCOL.md §4.6, §4.11, §7.3. The device receives each roster as a step. It
 * makes the body from the roster before, checks the votes of a quorum and keeps the recent rosters. Every sync asks one peer
 * for news: the next roster and the pins. After weeks the device catches up roster by roster. Two certified rosters of one
 * period stop the device permanently. Errors: see `openRosters`.
 */
import { type Clock, FederationError, isFederationError, type Random } from '@geotrace/core-wasm'
import {
  decodeNewsReply,
  decodeRosterReply,
  decodeRosterStep,
  type EpochPins,
  encodeRosterRequest,
  type FetchNamed,
  type FetchRoster,
  hashToRosterName,
  type Manifest,
  type PeerAddress,
  peerIdToKey,
  RECENT_MAX,
  ROSTER_PROTOCOL,
  type RosterChain,
  RosterFollower,
  type RosterRecords,
  type RosterStep,
  rosterChain,
  STEP_FORM,
} from '@geotrace/core-wasm/wire'
import type { Session } from '../dialers/dialer.ts'
import { FAMILIES, keyToNumber, numberedKey } from '../storage/key-layout.ts'
import { del, put, type Storage } from '../storage/storage.ts'
import type { PinNews } from './pin-news.ts'
import { readPins } from './pin-record.ts'
import type { RosterOf } from './salting.ts'
import { shuffle } from './shuffle.ts'

/** Entries asked in one sync. When 16 random entries are all unreachable, the device itself is offline. */
const ENTRIES_MAX = 16
/** Peers that one sync compares its rosters with. The first ones may belong to the forgers. */
const COMPARED_MAX = 4
/** The key of the step to the second roster of a fork. An erasure keeps this step and the rosters. */
const FORK_KEY = `${FAMILIES.roster}fork`
/** No epoch comes after this one, so a request from it brings no pins. */
const NO_PINS = 0xffffffff

interface RostersInit {
  rosters: RosterChain
  pins: EpochPins
  news: PinNews
  /** The oldest epoch whose pin is of use. */
  pinsFrom: number
  manifest: Manifest
  storage: Storage
  wire: Session
  clock: Clock
  random: Random
}

/**
 * Brings rosters and pins up to date, if a peer can be reached. Throws PEER_UNREACHABLE when the device has no roster at
 * all, ROSTER_FORKED, ABORTED, STORAGE_CORRUPT.
 */
export async function openRosters(init: RostersInit): Promise<void> {
  const { rosters, pins, storage } = init
  const records = rosterRecords(storage)
  const follower = new RosterFollower({ chain: rosters, form: STEP_FORM, records, turn: alone })
  await restore(follower)
  if (follower.fork !== undefined) throw forked(follower.fork)
  pins.restore(await readPins(storage))
  await catchUp(init, follower)
}

/**
 * Compares the newest roster with that of peers that do not know it. They may only be late; or both are certified, and the
 * device was shown one side of a fork. Throws ROSTER_FORKED, ABORTED, STORAGE_CORRUPT.
 */
export async function compareRosters(init: RostersInit, strangers: ReadonlySet<PeerAddress>): Promise<void> {
  const { rosters, storage } = init
  const { newest } = rosters
  if (newest === undefined) return
  const records = rosterRecords(storage)
  const follower = new RosterFollower({ chain: rosters, form: STEP_FORM, records, turn: alone })
  for (const stranger of [...strangers].slice(0, COMPARED_MAX)) {
    try {
      await follower.lookBack(newsOf(init, stranger), newest.roster.height)
    } catch (error) {
      if (!isFederationError(error)) throw error
      if (isFederationError(error, 'ABORTED') || isFederationError(error, 'ROSTER_FORKED')) throw error
    }
  }
}

export function toRosterOf(rosters: RosterChain, pins: EpochPins): RosterOf {
  return (epoch) => {
    const pin = pins.of(epoch)
    return pin === undefined ? rosters.inForce(epoch) : rosters.named(pin.roster)
  }
}

/** Asks one peer after the other until one of them has sent all that it knows. */
async function catchUp(init: RostersInit, follower: RosterFollower<RosterStep>): Promise<void> {
  const { rosters } = init
  const entries = toEntries(init).slice(0, ENTRIES_MAX)
  let last: unknown
  for (const entry of entries) {
    try {
      await follower.follow(newsOf(init, entry))
      await fetchPinned(init, follower, entry)
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

/** The steps of one entry. Its pins come with the first of them. */
function newsOf({ wire, pinsFrom, news, clock }: RostersInit, entry: PeerAddress): FetchRoster {
  let epoch = pinsFrom
  return async (height) => {
    const request = encodeRosterRequest({ op: 'news', height, epoch })
    const { pins, step } = decodeNewsReply(await wire.request(entry, ROSTER_PROTOCOL, request))
    epoch = NO_PINS
    for (const pin of pins) news.takeFromMember(pin, clock.now())
    return step
  }
}

/** A pinned roster may be one that a later roster overtook, which a device learns only by its name. */
async function fetchPinned(
  { pins, pinsFrom, wire }: RostersInit,
  follower: RosterFollower<RosterStep>,
  entry: PeerAddress,
): Promise<void> {
  const fetch: FetchNamed = async (roster) => {
    const request = encodeRosterRequest({ op: 'named', form: 'step', roster })
    return decodeRosterReply(await wire.request(entry, ROSTER_PROTOCOL, request))
  }
  for (const { roster } of pins.from(pinsFrom)) await follower.fetchNamed(fetch, hashToRosterName(roster))
}

/**
 * The peers to ask, drawn at random: members of the newest roster, else those of the manifest. A device never connects to the
 * central peer.
 */
function toEntries({ manifest, rosters: { newest }, random }: RostersInit): PeerAddress[] {
  if (newest !== undefined) return shuffle(newest.roster.members, random)
  return shuffle(manifest.members, random).map(({ peerId, addresses }) => ({
    key: peerIdToKey(peerId),
    addresses,
  }))
}

function rosterRecords(storage: Storage): RosterRecords {
  return {
    async first() {
      for await (const [key] of storage.range(FAMILIES.roster)) if (key !== FORK_KEY) return keyToNumber(key)
      return 0
    },
    get: (height) => storage.get(rosterKey(height)),
    put(kept) {
      const oldest = kept.at(-1)!.height - RECENT_MAX + 1
      const old = kept.map(({ height }) => height - RECENT_MAX).filter((height) => height >= 0 && height < oldest)
      return storage.batch([
        ...kept.map(({ height, bytes }) => put(rosterKey(height), bytes)),
        ...old.map((height) => del(rosterKey(height))),
      ])
    },
    getFork: () => storage.get(FORK_KEY),
    putFork: (encoded) => storage.batch([put(FORK_KEY, encoded)]),
  }
}

function rosterKey(height: number): string {
  return numberedKey(FAMILIES.roster, height)
}

/** Each call has a follower of its own, which takes one roster after the other. */
function alone<T>(task: () => Promise<T>): Promise<T> {
  return task()
}

/** The rosters that this device checked before. It asks no peer. Throws STORAGE_CORRUPT. */
export async function storedRosters({
  manifest,
  storage,
}: Pick<RostersInit, 'manifest' | 'storage'>): Promise<RosterChain> {
  const chain = rosterChain(manifest)
  await restore(new RosterFollower({ chain, form: STEP_FORM, records: rosterRecords(storage), turn: alone }))
  return chain
}

/** Restores the rosters that this device checked before. Throws STORAGE_CORRUPT. */
async function restore(follower: RosterFollower<RosterStep>): Promise<void> {
  try {
    await follower.restore()
  } catch (cause) {
    if (!isFederationError(cause, 'ROSTER_INVALID')) throw cause
    throw corrupt(rosterKey(follower.chain.nextHeight), cause)
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
