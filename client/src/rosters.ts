/**
 * The rosters that a device goes by: fetched from any entry of the manifest, believed only with their certificate,
 * kept on the device. PROTOCOL.md §4.4, §7.3. Until gossip brings later ones, the founding roster is all there is.
 */
import { FederationError, isFederationError } from '@geotrace/core-wasm'
import {
  assertFounding,
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  type Manifest,
  peerIdToKey,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { PeerAddress } from './dialer.ts'
import { FAMILIES, numberedKey } from './records.ts'
import { shuffle } from './shuffle.ts'
import { put, type Storage } from './storage.ts'
import type { Wire } from './wire-session.ts'

const FOUNDING = 0
const FOUNDING_KEY = numberedKey(FAMILIES.roster, FOUNDING)

/** Rosters checked by this process: their signatures cost more than the rest of a sync. */
export type KnownRosters = CertifiedRoster[]

export interface RostersInit {
  rosters: KnownRosters
  manifest: Manifest
  storage: Storage
  wire: Wire
  random: (n: number) => Uint8Array
}

/** Throws PEER_UNREACHABLE when no entry gave a roster that holds, ABORTED. */
export async function openRosters(init: RostersInit): Promise<readonly CertifiedRoster[]> {
  const { manifest, storage, rosters } = init
  if (rosters.length > 0) return rosters
  const cached = await storage.get(FOUNDING_KEY)
  rosters.push(cached === undefined ? await fetchFounding(init) : toFounding(manifest, cached))
  return rosters
}

async function fetchFounding({ manifest, storage, wire, random }: RostersInit): Promise<CertifiedRoster> {
  const entries = shuffle(manifestToEntries(manifest), random)
  let last: unknown
  for (const entry of entries) {
    try {
      const bytes = decodeRosterReply(
        await wire.request(entry, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'get', height: FOUNDING })),
      )
      if (bytes === undefined) continue
      const founding = toFounding(manifest, bytes)
      await storage.batch([put(FOUNDING_KEY, bytes)])
      return founding
    } catch (error) {
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      last = error
    }
  }
  const options = last === undefined ? undefined : { cause: last }
  throw new FederationError(
    'PEER_UNREACHABLE',
    `none of ${entries.length} entries gave the founding roster`,
    { tried: entries.length },
    options,
  )
}

/** Members and the central peer, as the manifest names them. */
export function manifestToEntries(manifest: Manifest): PeerAddress[] {
  return [...manifest.members, manifest.central].map(({ peerId, addresses }) => ({
    key: peerIdToKey(peerId),
    addresses,
  }))
}

function toFounding(manifest: Manifest, bytes: Uint8Array): CertifiedRoster {
  const certified = decodeCertifiedRoster(bytes)
  assertFounding(manifest, certified)
  return certified
}
