/**
 * The federation as a salt node sees it: rosters in force and coming, the way of a newcomer, and replicas that are alone.
 * node/README.md "Operating". Pure.
 */
import {
  bytesToHex,
  type CertifiedRoster,
  EPOCH_MS,
  equalBytes,
  hashToRosterName,
  keyToMember,
  keyToShards,
  shardToReplicas,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import type { NodeStatus, RelayStatus, RosterStatus } from '../../admin/node-status.ts'
import { toJoining } from '../../membership/joining.ts'
import type { Membership } from '../../membership/membership.ts'

export interface FederationView extends Pick<NodeStatus, 'roster' | 'nextRoster' | 'joining' | 'soleShards' | 'votes'> {
  /** The central peer behind this relay; undefined without a roster. */
  readonly central: Omit<RelayStatus, 'passed' | 'refused'> | undefined
}

/** `held` are the shards whose seed the node holds under the roster in force. */
export function federationView(
  membership: Pick<Membership, 'rosters' | 'pool' | 'voter' | 'status'> | undefined,
  key: Uint8Array,
  held: readonly number[],
  nowMs: number,
): FederationView {
  const rosters = membership?.rosters
  const newest = rosters?.newest
  const current = rosters?.inForce(timeToEpoch(nowMs)) ?? newest
  const isMember = current !== undefined && keyToMember(current.roster, key) !== undefined
  return {
    roster: current && toRosterStatus(current),
    nextRoster: newest !== undefined && newest !== current ? toRosterStatus(newest) : undefined,
    joining:
      rosters === undefined || newest === undefined || isMember
        ? undefined
        : toJoining({ key, rosters: rosters.recent, pending: membership?.pool.changes() ?? [], nowMs }),
    soleShards: current === undefined || membership === undefined ? [] : soleShards(membership, current, key, held),
    central: newest && membership && toCentral(membership, newest),
    votes: rosters !== undefined && membership?.voter?.operator(rosters.predecessor) !== undefined,
  }
}

function toRosterStatus({ roster, hash }: CertifiedRoster): RosterStatus {
  const { height, firstEpoch, periodEpochs, reserveEpochs } = roster
  return {
    height,
    name: bytesToHex(hashToRosterName(hash)),
    fromMs: firstEpoch * EPOCH_MS,
    untilMs: (firstEpoch + periodEpochs) * EPOCH_MS,
    reserveUntilMs: (firstEpoch + periodEpochs + reserveEpochs) * EPOCH_MS,
  }
}

/** The key opens frames until a second roster follows, and that one is not certified before the first one has begun. */
function toCentral(membership: Pick<Membership, 'status'>, certified: CertifiedRoster): FederationView['central'] {
  const { central } = certified.roster
  const isLinked = membership.status().peers.some(({ key, linked }) => linked && equalBytes(key, central.key))
  return { isLinked, seal: bytesToHex(central.seal), sealedUntilMs: toRosterStatus(certified).untilMs }
}

/** When this node stops, the seeds of these shards are lost until the next roster. */
function soleShards(
  membership: Pick<Membership, 'status'>,
  { roster }: CertifiedRoster,
  key: Uint8Array,
  held: readonly number[],
): number[] {
  const linked = membership.status().peers.filter((peer) => peer.linked)
  const isAlone = (shard: number): boolean =>
    !shardToReplicas(roster, shard).some(
      (replica) => !equalBytes(replica.key, key) && linked.some((peer) => equalBytes(peer.key, replica.key)),
    )
  const own = new Set(keyToShards(roster, key))
  return held.filter((shard) => own.has(shard) && isAlone(shard))
}
