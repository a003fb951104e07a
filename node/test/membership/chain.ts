/** Certified rosters in memory that follow each other, for tests of the code that accepts rosters. */
import {
  type Founders,
  foundRoster,
  TEST_AUTHORITY,
  TEST_OPERATORS,
  testManifest,
  testNonce,
  testSigner,
  testTrees,
} from '@geotrace/core-wasm/testing'
import {
  bodyToCertified,
  bytesToHex,
  type CertifiedRoster,
  encodeChange,
  encodeRoster,
  type Parameters,
  quorum,
  type SheetSignatures,
  type SignedChange,
  type Signer,
  type Succession,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  sheetQuorum,
  signContent,
  signVote,
  succeed,
} from '@geotrace/core-wasm/wire'
import { systemRandom } from '../../src/platform/random.ts'

export const NAMES = [...TEST_OPERATORS, TEST_AUTHORITY]
/** The founding time of `testManifest`, Unix ms. */
export const FOUNDED = Date.parse('2026-11-21T12:00:00Z')
export const operatorSigner = (name: string): Signer => testSigner(`operator/${name}`)
export const peerSigner = (name: string): Signer => testSigner(`peer/${name}`)

export function founded(parameters: Partial<Parameters> = {}, founders: Founders = {}) {
  const manifest = testManifest(parameters)
  let first: CertifiedRoster | undefined
  // Make the first roster on demand only, because the sheets of many shards take minutes.
  return {
    manifest,
    get first() {
      first ??= foundRoster(manifest, testTrees(manifest), founders)
      return first
    },
  }
}

export interface Choice extends Partial<Omit<Succession, 'changes'>> {
  changes?: SignedChange[]
  /** The names of the operators that vote; the first ones up to a quorum unless given. */
  voters?: readonly string[]
}

/** The roster one period after `previous`, certified with the test keys. */
export function follow(previous: CertifiedRoster, choice: Choice = {}): CertifiedRoster {
  const { roster } = previous
  const firstEpoch =
    choice.firstEpoch ?? (Math.floor(roster.firstEpoch / roster.periodEpochs) + 1) * roster.periodEpochs
  const changes = (choice.changes ?? []).map(encodeChange).sort((a, b) => Buffer.compare(a, b))
  const sheets = choice.sheets ?? Array.from({ length: roster.plan.shards }, () => systemRandom(32))
  const next = succeed(previous, { firstEpoch, changes, reveals: choice.reveals ?? [], sheets })
  const sheetSignatures = next.sheets.map((root, shard): SheetSignatures => {
    const content = sheetContent({ federation: next.federation, shard, firstEpoch, epochs: sheetEpochs(next), root })
    const signers = shardToReplicas(next, shard).slice(0, sheetQuorum(next.replicas))
    return signers.map((member) => [
      next.members.indexOf(member),
      signContent(signerOf(member.key), 'geotrace/sheet', content),
    ])
  })
  const bare = bodyToCertified(encodeRoster(next), sheetSignatures, [])
  const ballot = { federation: next.federation, height: next.height, firstEpoch, hash: bare.hash }
  const quorate = roster.operators.slice(0, quorum(roster.operators.length)).map(({ name }) => name)
  const { voters = quorate } = choice
  const votes = roster.operators.flatMap(({ name, key }, operator) =>
    voters.includes(name) ? [signVote(signerOf(key), operator, ballot, testNonce(name, next.height))] : [],
  )
  return { ...bare, votes }
}

const SIGNERS = new Map(
  [...NAMES, 'gum', 'hazel'].flatMap((name) =>
    [operatorSigner(name), peerSigner(name)].map((signer): [string, Signer] => [bytesToHex(signer.key), signer]),
  ),
)
function signerOf(key: Uint8Array): Signer {
  return SIGNERS.get(bytesToHex(key))!
}
