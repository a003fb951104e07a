/**
 * The rules of rosters as pure functions: the founding roster, the replicas of a shard, the roster in force for an
 * epoch. PROTOCOL.md §4.4, §4.5. succession.ts makes the roster that follows; certificate.ts checks its certificate.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { PARTS_MAX } from '../constants.ts'
import { bytesToHex, byteWriter, concatBytes, equalBytes, hexToBytes } from '../encoding/bytes.ts'
import { isLoopbackOrigin } from '../encoding/origin.ts'
import { addressToNetwork, isLoopback } from '../encoding/peer-address.ts'
import { peerIdToKey } from '../encoding/peer-id.ts'
import { oldestOpenEpoch } from '../window.ts'
import { type FrozenManifest, type Manifest, manifestToId, type PeerEntry } from './manifest-form.ts'
import { drawRank } from './ranks.ts'
import type { CertifiedRoster, Roster, RosterPeer } from './roster.ts'

/** Votes that certify a roster of n operators. */
export function quorum(operators: number): number {
  return Math.floor((2 * operators) / 3) + 1
}

/**
 * Signatures that complete a sheet while there is time to wait for them: a majority of the shard's replicas. A
 * certificate carries no more.
 */
export function sheetQuorum(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

/** Parts of a shard: the sets of R − t + 1 of R replicas. */
export function partCount(replicas: number, threshold: number): number {
  let count = 1
  for (let i = 1; i < threshold; i++) count = (count * (replicas - i + 1)) / i
  return count
}

/** Whether a threshold fits the replicas. A majority, which signs a sheet, is enough to answer. A node keeps all parts' lines. */
export function isSharable(replicas: number, threshold: number): boolean {
  return threshold >= 1 && threshold <= sheetQuorum(replicas) && partCount(replicas, threshold) <= PARTS_MAX
}

/** The root of a vacant shard, for which no replica signed in time. The shard has no salts until the next roster. */
export const VACANT_ROOT = new Uint8Array(32)

/** Whether a shard has no salts in this roster. */
export function isVacant({ sheets }: Pick<Roster, 'sheets'>, shard: number): boolean {
  return sheets[shard] !== undefined && equalBytes(sheets[shard], VACANT_ROOT)
}

/** Operators that must sponsor a new one. If fewer than a third of the operators are bad, one sponsor is honest. */
export function sponsorQuorum(operators: number): number {
  return Math.floor(operators / 3) + 1
}

/**
 * Whether a join or a move may name these addresses. Public ones always; others only when no peer of the roster has a
 * public address, as in a trial on one machine. Otherwise a member could make all peers dial private networks.
 */
export function mayName(roster: Roster, addresses: readonly string[]): boolean {
  const isPublic = (address: string): boolean => addressToNetwork(address) === 'public'
  return addresses.every(isPublic) || !rosterToAddresses(roster).some(isPublic)
}

/**
 * Whether pages of this origin may send requests: those of the federation's apps and, when all peers are on one machine,
 * those of this machine. The page of any other site would make its visitors clients, each with an address of its own.
 */
export function isAppOrigin(roster: Roster, origin: string): boolean {
  return roster.apps.includes(origin) || (isLoopbackOrigin(origin) && rosterToAddresses(roster).every(isLoopback))
}

function rosterToAddresses({ members, newcomers, admitted, central }: Roster): string[] {
  return [...members, ...newcomers, ...admitted, central].flatMap(({ addresses }) => addresses)
}

/** The number of lines of each sheet of a roster. */
export function sheetEpochs(roster: Pick<Roster, 'periodEpochs' | 'reserveEpochs'>): number {
  return roster.periodEpochs + roster.reserveEpochs
}

/** The founding roster starts at the oldest epoch still open when the federation is founded. */
function foundingEpoch(manifest: FrozenManifest): number {
  return oldestOpenEpoch(Date.parse(manifest.founding.at))
}

/** The founding roster of a manifest, without sheets. */
export function manifestToRoster(manifest: Manifest): Roster {
  return frozenToRoster(manifest, manifest.openings.map(hexToBytes))
}

/** The founding roster that these nonces of the cards make. Its size does not depend on them. */
export function frozenToRoster(manifest: FrozenManifest, nonces: readonly Uint8Array[]): Roster {
  const { parameters, operators, members, central, core } = manifest
  const federation = manifestToId(manifest)
  const toPeer = ({ peerId, operator, addresses }: PeerEntry): RosterPeer => ({
    key: peerIdToKey(peerId),
    operator: operators.findIndex((item) => item.name === operator),
    addresses,
    moved: 0,
  })
  return {
    version: 1,
    federation,
    height: 0,
    previous: federation,
    firstEpoch: foundingEpoch(manifest),
    periodEpochs: parameters.periodEpochs,
    reserveEpochs: parameters.reserveEpochs,
    shards: parameters.shards,
    replicas: parameters.replicas,
    threshold: parameters.threshold,
    salting: parameters.salting,
    evaluationsPerShardEpoch: parameters.evaluationsPerShardEpoch,
    operators: operators.map(({ name, key }) => ({
      name,
      key: hexToBytes(key),
      rank: drawRank(hexToBytes(key), nonces),
    })),
    members: members.map(toPeer),
    // A time of full length from the beginning, so that a new seal key makes no roster larger.
    central: { ...toPeer(central), seal: hexToBytes(central.seal), sealed: Date.parse(manifest.founding.at) },
    sheets: [],
    core: { simd: hexToBytes(core.simd), scalar: hexToBytes(core.scalar) },
    apps: parameters.apps,
    // A roster without a spread has no key for it.
    ...(parameters.spread && { spread: parameters.spread }),
    ...(parameters.tokens && { tokens: parameters.tokens }),
    plan: { shards: parameters.shards, replicas: parameters.replicas },
    amended: 0,
    newcomers: [],
    admitted: [],
    gone: [],
    changes: [],
    commitments: [],
    reveals: [],
  }
}

/**
 * Replicas of a shard, first to last: a member of each of the R operators with the lowest H(rank ‖ shard). An operator
 * with more members brings the one with the lowest H(key ‖ shard), so further members win it no further shard.
 * The first replica that can be reached makes the seed. Throws RangeError for a shard that does not exist.
 */
export function shardToReplicas(roster: Roster, shard: number): readonly RosterPeer[] {
  if (!Number.isInteger(shard) || shard < 0 || shard >= roster.shards) {
    throw new RangeError(`"shard" expected 0..${roster.shards - 1}, got ${shard}`)
  }
  const known = replicasOf.get(roster) ?? []
  replicasOf.set(roster, known)
  known[shard] ??= drawReplicas(roster, shard)
  return known[shard]
}

/** A cache: a roster never changes, each draw hashes all members, and every round asks for the shards again. */
const replicasOf = new WeakMap<Roster, (readonly RosterPeer[])[]>()

function drawReplicas(roster: Roster, shard: number): RosterPeer[] {
  const suffix = byteWriter(2).u16(shard).finish()
  const byDraw = <T>(items: readonly T[], toBytes: (item: T) => Uint8Array): T[] =>
    items
      .map((item) => ({ item, draw: bytesToHex(sha256(concatBytes(toBytes(item), suffix))) }))
      .sort((a, b) => (a.draw < b.draw ? -1 : 1))
      .map(({ item }) => item)
  const byOperator = new Map<number, RosterPeer[]>()
  for (const member of roster.members) {
    const own = byOperator.get(member.operator)
    if (own === undefined) byOperator.set(member.operator, [member])
    else own.push(member)
  }
  return byDraw([...byOperator], ([operator]) => toRank(roster, operator))
    .slice(0, roster.replicas)
    .map(([, members]) => byDraw(members, ({ key }) => key)[0]!)
}

/** Members belong to operators with a rank, because a node is no member before its operator has one. */
function toRank({ operators }: Roster, operator: number): Uint8Array {
  const { rank } = operators[operator]!
  if (rank === null) throw new RangeError(`"roster" expected a rank of operator ${operator}, which has members`)
  return rank
}

/** Whether this member or operator left permanently. Such a member holds its shards to the end of the roster. */
export function isGone(roster: Pick<Roster, 'gone'>, key: Uint8Array): boolean {
  return roster.gone.some((item) => equalBytes(item, key))
}

/** The member of this roster with this key. */
export function keyToMember(roster: Roster, key: Uint8Array): RosterPeer | undefined {
  return roster.members.find((member) => equalBytes(member.key, key))
}

/** The shards that the member with this key replicates. */
export function keyToShards(roster: Roster, key: Uint8Array): number[] {
  return Array.from({ length: roster.shards }, (_, shard) => shard).filter((shard) =>
    shardToReplicas(roster, shard).some((member) => equalBytes(member.key, key)),
  )
}

/** The newest roster whose first epoch is not after `epoch` and whose sheets reach it; never "the roster now". */
export function rosterInForce(rosters: readonly CertifiedRoster[], epoch: number): CertifiedRoster | undefined {
  let best: CertifiedRoster | undefined
  for (const item of rosters) {
    if (item.roster.firstEpoch <= epoch && (best === undefined || item.roster.height > best.roster.height)) best = item
  }
  return best !== undefined && epoch < best.roster.firstEpoch + sheetEpochs(best.roster) ? best : undefined
}
