/**
 * The order in which a device asks the replicas of a shard: by H(device secret ‖ member key). PROTOCOL.md §5.4. It is stable
 * over rosters, so that as few nodes as possible learn of a device. A node that lied is left out.
 */
import {
  bytesToHex,
  type CertifiedRoster,
  concatBytes,
  type RosterPeer,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { sha256 } from '@noble/hashes/sha2.js'

export interface RankedReplica extends RosterPeer {
  /** Place among the replicas of the shard; the roster's order. */
  readonly place: number
}

/** The replicas to ask, first to last. Those that this sync could not reach come last. */
export function replicasInOrder(
  { roster }: CertifiedRoster,
  shard: number,
  deviceSecret: Uint8Array,
  liars: ReadonlySet<string>,
  away: ReadonlySet<string>,
): RankedReplica[] {
  return shardToReplicas(roster, shard)
    .map((member, place) => ({ ...member, place }))
    .filter(({ key }) => !liars.has(bytesToHex(key)))
    .map((replica) => ({ replica, draw: bytesToHex(sha256(concatBytes(deviceSecret, replica.key))) }))
    .sort((a, b) => Number(isIn(away, a.replica)) - Number(isIn(away, b.replica)) || (a.draw < b.draw ? -1 : 1))
    .map(({ replica }) => replica)
}

function isIn(keys: ReadonlySet<string>, { key }: RosterPeer): boolean {
  return keys.has(bytesToHex(key))
}
