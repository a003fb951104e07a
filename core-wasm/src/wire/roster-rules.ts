/**
 * The rules of rosters as pure functions: who replicates a shard, which roster is in force for a block,
 * when a certificate holds. PROTOCOL.md §4.4–4.6. Later rosters follow with gossip; the founding one is complete here.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, byteWriter, concatBytes, equalBytes, hexToBytes } from './bytes.ts'
import { KEY_BYTES } from './constants.ts'
import { FederationError } from './errors.ts'
import { type Manifest, manifestToId, type PeerEntry } from './manifest.ts'
import { peerIdToKey } from './peer-id.ts'
import {
  type CertifiedRoster,
  encodeRoster,
  type Roster,
  type RosterMember,
  type RosterPeer,
  type SheetSignatures,
} from './roster.ts'
import { sheetContent } from './sheet.ts'
import { isValidSignature } from './signature.ts'
import { oldestOpenEpoch } from './window.ts'

/** Votes that certify a roster of n operators. */
export function quorum(operators: number): number {
  return Math.floor((2 * operators) / 3) + 1
}

/** Signatures that make a sheet: a majority of the shard's replicas. */
export function sheetQuorum(replicas: number): number {
  return Math.floor(replicas / 2) + 1
}

/** The lines of each sheet of a roster. */
export function sheetEpochs(roster: Pick<Roster, 'periodEpochs' | 'reserveEpochs'>): number {
  return roster.periodEpochs + roster.reserveEpochs
}

/** The founding roster starts at the oldest epoch still open when the federation is founded. */
export function foundingEpoch(manifest: Manifest): number {
  return oldestOpenEpoch(Date.parse(manifest.founding.at))
}

/** H(nonce ‖ key): the rank of a member at founding. */
export function foundingRank(nonce: Uint8Array, key: Uint8Array): Uint8Array {
  return sha256(concatBytes(nonce, key))
}

/** The founding roster of a manifest, still without sheets. */
export function manifestToRoster(manifest: Manifest): Roster {
  const { parameters, operators, members, central, founding, core } = manifest
  const federation = manifestToId(manifest)
  const nonce = hexToBytes(founding.nonce)
  const toPeer = ({ peerId, operator, addresses }: PeerEntry): RosterPeer => ({
    key: peerIdToKey(peerId),
    operator: operators.findIndex((item) => item.name === operator),
    addresses,
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
    operators: operators.map(({ name, key }) => ({ name, key: hexToBytes(key) })),
    members: members.map((member) => {
      const peer = toPeer(member)
      return { ...peer, rank: foundingRank(nonce, peer.key) }
    }),
    central: toPeer(central),
    sheets: [],
    core: { simd: hexToBytes(core.simd), scalar: hexToBytes(core.scalar) },
  }
}

/**
 * Replicas of a shard, first to last: the R lowest H(rank ‖ shard) among members of distinct operators.
 * The first reachable one makes the seed.
 */
export function shardToReplicas(roster: Roster, shard: number): RosterMember[] {
  if (!Number.isInteger(shard) || shard < 0 || shard >= roster.shards) {
    throw new RangeError(`"shard" expected 0..${roster.shards - 1}, got ${shard}`)
  }
  const suffix = byteWriter(2).u16(shard).finish()
  const drawn = roster.members
    .map((member) => ({ member, draw: bytesToHex(sha256(concatBytes(member.rank, suffix))) }))
    .sort((a, b) => (a.draw < b.draw ? -1 : 1))
  const operators = new Set<number>()
  const replicas: RosterMember[] = []
  for (const { member } of drawn) {
    if (replicas.length === roster.replicas) break
    if (operators.has(member.operator)) continue
    operators.add(member.operator)
    replicas.push(member)
  }
  return replicas
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

/** Throws ROSTER_INVALID unless this follows from the manifest and a majority of its replicas signed every sheet. */
export function assertProposal(manifest: Manifest, { roster, sheetSignatures }: CertifiedRoster): void {
  const want = manifestToRoster(manifest)
  if (!equalBytes(encodeRoster(want), encodeRoster({ ...roster, sheets: [] })))
    invalid('it does not follow from the manifest')
  if (roster.sheets.length !== roster.shards || sheetSignatures.length !== roster.shards) {
    invalid(`it has ${roster.sheets.length} sheets for ${roster.shards} shards`)
  }
  for (const [shard, signatures] of sheetSignatures.entries()) assertSheetSigned(roster, shard, signatures)
}

/** Throws ROSTER_INVALID unless a majority of the shard's replicas signed its sheet. */
export function assertSheetSigned(roster: Roster, shard: number, signatures: SheetSignatures): void {
  const root = roster.sheets[shard] ?? invalid(`shard ${shard} has no sheet`)
  const content = sheetContent({
    federation: roster.federation,
    shard,
    firstEpoch: roster.firstEpoch,
    epochs: sheetEpochs(roster),
    root,
  })
  const replicas = shardToReplicas(roster, shard)
  const signers = new Set<number>()
  for (const [index, signature] of signatures) {
    const member = roster.members[index]
    if (member === undefined || !replicas.includes(member)) invalid(`sheet ${shard} is signed by a stranger`)
    if (!isValidSignature(member.key, 'geotrace/sheet', content, signature))
      invalid(`sheet ${shard}: a signature fails`)
    signers.add(index)
  }
  if (signers.size < sheetQuorum(replicas.length)) invalid(`sheet ${shard} has ${signers.size} signatures`)
}

/** Throws ROSTER_INVALID unless ⌊2n/3⌋ + 1 of `operators` voted for it. */
export function assertCertificate(certified: CertifiedRoster, operators: readonly { key: Uint8Array }[]): void {
  const voters = new Set<number>()
  for (const { operator, signature } of certified.votes) {
    const key = operators[operator]?.key
    if (key === undefined || key.length !== KEY_BYTES) invalid('a vote by a stranger')
    if (!isValidSignature(key, 'geotrace/vote', certified.hash, signature)) invalid('a vote with a bad signature')
    voters.add(operator)
  }
  const need = quorum(operators.length)
  if (voters.size < need) invalid(`${voters.size} of the ${need} votes it needs`)
}

/** The founding roster with its certificate, checked against the manifest. Throws ROSTER_INVALID. */
export function assertFounding(manifest: Manifest, certified: CertifiedRoster): void {
  assertProposal(manifest, certified)
  assertCertificate(certified, certified.roster.operators)
}

function invalid(reason: string): never {
  throw new FederationError('ROSTER_INVALID', `roster: ${reason}`, { reason })
}
