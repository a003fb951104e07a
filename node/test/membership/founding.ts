/** The founding roster of a cast in memory: its sheets signed, proposed and certified with the keys of the cast. */
import {
  type Ballot,
  bodyToCertified,
  type CertifiedRoster,
  encodeRoster,
  type GossipSheets,
  keyToShards,
  manifestToRoster,
  quorum,
  sheetContent,
  sheetEpochs,
  signContent,
  signVote,
} from '@geotrace/core-wasm/wire'
import { sheetsToRoots } from '../../src/membership/agreement/proposal.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Cast } from '../salt/federation.ts'

/** Roots of sheets that nobody computed, one a shard. */
export const randomRoots = (count = 3): Uint8Array[] => Array.from({ length: count }, () => systemRandom(32))

/** The SHEETS message of each member when the sheets have these roots. */
export function signSheets({ manifest, secrets }: Cast, roots: Uint8Array[]): GossipSheets[] {
  const roster = manifestToRoster(manifest)
  const { federation, previous, firstEpoch } = roster
  return secrets.map((secret) => {
    const signer = nativeSigner(secret)
    const sheets = keyToShards(roster, signer.key).map((shard) => {
      const root = roots[shard]!
      const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(roster), root })
      return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
    })
    return { kind: 'sheets' as const, key: signer.key, previous, firstEpoch, sheets }
  })
}

/** The founding roster with these roots, without votes. */
export function proposeFounding(players: Cast, roots: Uint8Array[]): CertifiedRoster {
  const roster = manifestToRoster(players.manifest)
  const { sheets, sheetSignatures } = sheetsToRoots(roster, signSheets(players, roots))!
  return bodyToCertified(encodeRoster({ ...roster, sheets }), sheetSignatures, [])
}

/** A founding roster with random roots and the votes of a quorum. Two calls give two different rosters. */
export function certifyFounding(players: Cast): CertifiedRoster {
  const proposal = proposeFounding(players, randomRoots())
  const votes = [...players.operatorSecrets, players.centralOperatorSecret].map((secret, operator) =>
    signVote(nativeSigner(secret), operator, toBallot(proposal)),
  )
  return { ...proposal, votes: votes.slice(0, quorum(votes.length)) }
}

export const toBallot = ({ roster, hash }: CertifiedRoster): Ballot => ({ ...roster, hash })
