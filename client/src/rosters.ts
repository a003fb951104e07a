/**
 * The rosters that a device goes by: each believed only with its certificate, checked against the one before, kept on
 * the device. PROTOCOL.md §4.6, §7.3. Every sync asks one peer for news; a device back after weeks catches up roster by
 * roster. Two certified rosters of one height stop it for good (ROSTER_FORKED): nobody can say which is right.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  type Manifest,
  peerIdToKey,
  ROSTER_PROTOCOL,
  type RosterChain,
} from '@geotrace/core-wasm/wire'
import type { PeerAddress } from './dialer.ts'
import { FAMILIES, numberedKey } from './records.ts'
import { shuffle } from './shuffle.ts'
import { put, type Storage } from './storage.ts'
import type { Wire } from './wire-session.ts'

/** In one sync: ten years of daily rosters; a peer that has more to say is not telling the truth. */
const CATCH_UP_MAX = 4_000

export interface RostersInit {
  rosters: RosterChain
  manifest: Manifest
  storage: Storage
  wire: Wire
  random: (n: number) => Uint8Array
}

/**
 * All rosters, the newest that can be had included. Throws PEER_UNREACHABLE when there is none at all, ROSTER_FORKED,
 * ABORTED, STORAGE_CORRUPT.
 */
export async function openRosters(init: RostersInit): Promise<readonly CertifiedRoster[]> {
  const { rosters, storage } = init
  await restore(rosters, storage)
  await catchUp(init)
  return rosters.all
}

/** Those that this device checked before. */
async function restore(rosters: RosterChain, storage: Storage): Promise<void> {
  if (rosters.newest !== undefined) return
  for (;;) {
    const key = numberedKey(FAMILIES.roster, rosters.all.length)
    const bytes = await storage.get(key)
    if (bytes === undefined) return
    try {
      rosters.restore(decodeCertifiedRoster(bytes))
    } catch (cause) {
      throw new FederationError('STORAGE_CORRUPT', `the record ${key} cannot be read`, { what: key }, { cause })
    }
  }
}

/** Asks one peer after the other until one has told all it knows. */
async function catchUp(init: RostersInit): Promise<void> {
  const { rosters, manifest, random } = init
  const entries = shuffle(rostersToEntries(manifest, rosters.newest), random)
  let last: unknown
  for (const entry of entries) {
    try {
      const before = rosters.all.length
      await follow(init, entry)
      if (rosters.newest !== undefined || rosters.all.length > before) return
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

async function follow({ rosters, storage, wire }: RostersInit, entry: PeerAddress): Promise<void> {
  for (let i = 0; i < CATCH_UP_MAX; i++) {
    const height = rosters.all.length
    const bytes = decodeRosterReply(
      await wire.request(entry, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'get', height })),
    )
    if (bytes === undefined || !rosters.add(decodeCertifiedRoster(bytes))) return
    await storage.batch([put(numberedKey(FAMILIES.roster, height), bytes)])
  }
}

/** Whom to ask: those of the newest roster, else of the manifest. */
function rostersToEntries(manifest: Manifest, newest: CertifiedRoster | undefined): PeerAddress[] {
  if (newest !== undefined) return [...newest.roster.members, newest.roster.central]
  return [...manifest.members, manifest.central].map(({ peerId, addresses }) => ({
    key: peerIdToKey(peerId),
    addresses,
  }))
}
