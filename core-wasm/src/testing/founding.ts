/**
 * Keys and certified rosters of a test federation: its manifest, sheets, founding roster and later rosters, by the rules of
 * PROTOCOL.md §4 and §5. Keys derive from a phrase, and salts come from no ratchet, so nothing of this federation is secret.
 */

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { secretToSealKey } from '../seal/hpke.ts'
import { bytesToHex, concatBytes, equalBytes, utf8 } from '../wire/encoding/bytes.ts'

import { keyToPeerId } from '../wire/encoding/peer-id.ts'
import { type Signer, secretToSigner, signContent } from '../wire/encoding/signature.ts'
import { DEFAULT_PARAMETERS, PLAIN_SALTING } from '../wire/federation/default-parameters.ts'
import { demoSecret } from '../wire/federation/demo-keys.ts'
import { assertFrozenManifest, completeManifest } from '../wire/federation/manifest.ts'
import type { Manifest, Parameters } from '../wire/federation/manifest-form.ts'
import { nonceToCommitment, signCommitment } from '../wire/federation/ranks.ts'
import {
  bodyToCertified,
  bodyToHash,
  type CertifiedRoster,
  encodeRoster,
  type Roster,
  type SheetSignatures,
} from '../wire/federation/roster.ts'
import {
  isVacant,
  manifestToRoster,
  quorum,
  shardToReplicas,
  sheetEpochs,
  sheetQuorum,
  VACANT_ROOT,
} from '../wire/federation/roster-rules.ts'
import { commitMessage, sheetContent } from '../wire/messages/sheet.ts'
import { type Change, encodeChange, newChange, signChange } from '../wire/succession/changes.ts'
import { succeed } from '../wire/succession/succession.ts'
import { signVote } from '../wire/succession/vote.ts'
import { epochToBlocks } from '../wire/window.ts'
import { linesToTree, treeToRoot } from './merkle-tree.ts'

const PHRASE = 'a phrase for tests'
export const TEST_OPERATORS = ['ash', 'birch', 'cedar', 'elm', 'fir'] as const
export const TEST_AUTHORITY = 'office'

/** Signers by role. They are cached, because deriving a key costs as much as a signature. */
const signers = new Map<string, Signer>()
/** The signer of the role `operator/NAME` or `peer/NAME`. */
export function testSigner(role: string): Signer {
  const signer = signers.get(role) ?? secretToSigner(demoSecret(PHRASE, role))
  signers.set(role, signer)
  return signer
}

/** The signer of a public key that `testSigner` returned before. Throws RangeError for any other key. */
export function keyToSigner(key: Uint8Array): Signer {
  const signer = [...signers.values()].find((item) => equalBytes(item.key, key))
  if (signer === undefined) throw new RangeError('"key" expected one of testSigner')
  return signer
}

/** The manifest of five operators with a salt node each, and an authority; with plain salting unless given. */
export function testManifest(parameters: Partial<Parameters> = {}, at = Date.parse('2026-11-21T12:00:00Z')): Manifest {
  const names = [...TEST_OPERATORS, TEST_AUTHORITY]
  const peers = names.map((name, i) => ({
    peerId: keyToPeerId(testSigner(`peer/${name}`).key),
    operator: name,
    addresses: [`/ip4/127.0.0.1/tcp/${4100 + i}`],
    commitment: bytesToHex(nonceToCommitment(cardNonce(name))),
  }))
  const frozen = assertFrozenManifest({
    version: 1,
    name: 'test',
    demo: { phrase: PHRASE },
    founding: { at: new Date(at).toISOString() },
    parameters: {
      ...DEFAULT_PARAMETERS,
      ...PLAIN_SALTING,
      reserveEpochs: 4,
      syncRequestBytes: [2048, 8192, 32768],
      syncReplyBytes: 2048,
      ...parameters,
    },
    core: { simd: '22'.repeat(32), scalar: '33'.repeat(32) },
    operators: names.map((name) => ({ name, key: bytesToHex(testSigner(`operator/${name}`).key) })),
    members: peers.slice(0, -1),
    central: { ...peers.at(-1)!, seal: bytesToHex(secretToSealKey(testSealSecret())) },
  })
  return completeManifest(frozen, names.map(cardNonce))
}

/** The seal secret of the central peer of `testManifest`. */
export function testSealSecret(): Uint8Array {
  return demoSecret(PHRASE, `seal/${TEST_AUTHORITY}`)
}

/** The nonce of the card of `testManifest`, 32 bytes. */
function cardNonce(operator: string): Uint8Array {
  return sha256(utf8(`nonce ${operator}`))
}

/** The nonce, 32 bytes, to which an operator commits for the roster of a height. */
export function testNonce(operator: string, height: number): Uint8Array {
  return sha256(utf8(`nonce ${operator} ${height}`))
}

/** The salt of (shard, size, n), 32 bytes. */
export function testSalt(shard: number, size: number, n: number): Uint8Array {
  return hmac(sha256, utf8(`shard ${shard}`), utf8(`${size}/${n}`))
}

/** The 31 commitments of an epoch. */
export function testCommitments(shard: number, epoch: number): Uint8Array[] {
  return epochToBlocks(epoch).map(({ size, n }) => sha256(commitMessage(size, n, testSalt(shard, size, n))))
}

/** The Merkle tree of each shard's sheet. */
export function testTrees(manifest: Manifest): Uint8Array[][][] {
  return rosterTrees(manifestToRoster(manifest))
}

/** The Merkle trees of the sheets of a later roster. The roots in `roster` are ignored. */
export function rosterTrees(
  roster: Pick<Roster, 'shards' | 'firstEpoch' | 'periodEpochs' | 'reserveEpochs'>,
): Uint8Array[][][] {
  return Array.from({ length: roster.shards }, (_, shard) => {
    const lines = Array.from({ length: sheetEpochs(roster) }, (_, i) =>
      sha256(concatBytes(...testCommitments(shard, roster.firstEpoch + i))),
    )
    return linesToTree(concatBytes(...lines))
  })
}

export interface Founders {
  /** How many operators vote, or the names of those that vote; the first ones up to a quorum unless given. */
  voters?: number | readonly string[]
  /** How many replicas sign each sheet; a quorum unless given. */
  sheetSigners?: number
}

/** Roster 0 of a test manifest with its certificate. */
export function foundRoster(manifest: Manifest, trees: Uint8Array[][][], founders: Founders = {}): CertifiedRoster {
  const roster = { ...manifestToRoster(manifest), sheets: trees.map(treeToRoot) }
  return certifyRoster(roster, roster.operators, founders)
}

/** An encoded change with the signatures of these roles. */
export function testChange(federation: Uint8Array, change: Change, roles: readonly string[]): Uint8Array {
  return encodeChange(roles.map(testSigner).reduce(signChange, newChange(federation, change)))
}

/** The nonces of all commitments that `testNonceCommitments` made, by the hex of the commitment. */
const nonces = new Map<string, Uint8Array>()

/** The commitments of the first `count` operators of a roster, for the roster that follows it. */
export function testNonceCommitments(
  { roster, hash }: CertifiedRoster,
  count = roster.operators.length,
): Roster['commitments'] {
  return roster.operators.map(({ name, key }, i) => {
    if (i >= count) return null
    const nonce = testNonce(name, roster.height + 1)
    nonces.set(bytesToHex(nonceToCommitment(nonce)), nonce)
    return signCommitment(keyToSigner(key), roster.federation, hash, nonce)
  })
}

/** Opens the first `count` commitments of a roster that `testNonceCommitments` made. */
export function testReveals({ roster }: CertifiedRoster, count = roster.commitments.length): Roster['reveals'] {
  if (count === 0) return []
  return roster.commitments.map((item, i) => {
    return item === null || i >= count ? null : nonces.get(bytesToHex(item.commitment))!
  })
}

export interface Next extends Founders {
  /** The default is one period later. */
  firstEpoch?: number
  /** Encoded, in any order. */
  changes?: readonly Uint8Array[]
  /** When nodes wait for a rank, all operators of the roster before commit unless this is given. */
  commitments?: Roster['commitments']
  reveals?: Roster['reveals']
  /** The trees of the sheets; `rosterTrees` of the next roster unless given. */
  trees?: Uint8Array[][][]
  /** Shards without a seed. */
  vacant?: readonly number[]
  /** The roots of the sheets, in place of `trees` and `vacant`. */
  sheets?: readonly Uint8Array[]
}

/** The next roster with its certificate. Throws ROSTER_INVALID when the rules forbid it. */
export function nextTestRoster(previous: CertifiedRoster, next: Next = {}): CertifiedRoster {
  const { roster } = previous
  const { firstEpoch = (Math.floor(roster.firstEpoch / roster.periodEpochs) + 1) * roster.periodEpochs } = next
  const { reveals = [] } = next
  const changes = [...(next.changes ?? [])].sort((a, b) => (bytesToHex(a) < bytesToHex(b) ? -1 : 1))
  const bare = succeed(previous, { firstEpoch, changes, commitments: [], reveals, sheets: [] })
  const commitments = next.commitments ?? (bare.admitted.length > 0 ? testNonceCommitments(previous) : [])
  const body = succeed(previous, { firstEpoch, changes, commitments, reveals, sheets: [] })
  const toRoot = (tree: Uint8Array[][], shard: number): Uint8Array =>
    next.vacant?.includes(shard) ? VACANT_ROOT : treeToRoot(tree)
  const sheets = [...(next.sheets ?? (next.trees ?? rosterTrees(body)).map(toRoot))]
  return certifyRoster({ ...body, sheets }, roster.operators, next)
}

/** Signs the sheets of a roster and lets `operators` vote for it. `toSigner` finds the signer of a public key. */
export function certifyRoster(
  roster: Roster,
  operators: Roster['operators'],
  founders: Founders = {},
  toSigner: (key: Uint8Array) => Signer = keyToSigner,
): CertifiedRoster {
  const { voters = quorum(operators.length), sheetSigners = sheetQuorum(roster.replicas) } = founders
  const { federation, previous, height, firstEpoch } = roster
  const sheetSignatures = roster.sheets.map((root, shard): SheetSignatures => {
    const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(roster), root })
    return shardToReplicas(roster, shard)
      .slice(0, isVacant(roster, shard) ? 0 : sheetSigners)
      .map((member) => [roster.members.indexOf(member), signContent(toSigner(member.key), 'geotrace/sheet', content)])
  })
  const body = encodeRoster(roster)
  const ballot = { federation, height, firstEpoch, hash: bodyToHash(body) }
  const isVoter = (name: string, i: number): boolean =>
    typeof voters === 'number' ? i < voters : voters.includes(name)
  const votes = operators.flatMap(({ name, key }, i) => (isVoter(name, i) ? [signVote(toSigner(key), i, ballot)] : []))
  return bodyToCertified(body, sheetSignatures, votes)
}
