/** A small founded federation in memory, from the manifest rules alone: what wire tests are made of. */
import { createHash, createHmac } from 'node:crypto'
import {
  assertManifest,
  bodyToCertified,
  bodyToHash,
  bytesToHex,
  type CertifiedRoster,
  demoSecret,
  encodeRoster,
  epochToBlocks,
  hexToBytes,
  keyToPeerId,
  linesToTree,
  type Manifest,
  manifestToRoster,
  secretToSigner,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  signContent,
  treeToRoot,
} from '../../src/wire/index.ts'

export const PHRASE = 'a phrase for tests'
export const signerOf = (role: string) => secretToSigner(demoSecret(PHRASE, role))
const names = ['ash', 'birch', 'cedar', 'elm', 'fir']

export function testManifest(change: (value: Record<string, any>) => void = () => {}): Manifest {
  const value = {
    version: 1,
    name: 'test',
    demo: { phrase: PHRASE },
    founding: { nonce: '11'.repeat(32), at: '2026-11-21T12:00:00Z' },
    parameters: {
      resolution: 12,
      blockSizesMin: [5, 10, 20, 40, 80],
      saltWindowMin: 180,
      saltsPerRequest: 90,
      salting: 'plain',
      quota: 'rolling',
      shards: 5,
      replicas: 3,
      threshold: 1,
      periodEpochs: 18,
      reserveEpochs: 4,
      retentionDays: 14,
      syncRequestBytes: [2048, 8192, 32768],
      syncReplyBytes: 2048,
    },
    core: { simd: '22'.repeat(32), scalar: '33'.repeat(32) },
    operators: [...names, 'office'].map((name) => ({ name, key: bytesToHex(signerOf(`operator/${name}`).key) })),
    members: names.map((name, i) => ({
      peerId: keyToPeerId(signerOf(`peer/${name}`).key),
      operator: name,
      addresses: [`/ip4/127.0.0.1/tcp/${4100 + i}`],
    })),
    central: {
      peerId: keyToPeerId(signerOf('peer/office').key),
      operator: 'office',
      addresses: ['/ip4/127.0.0.1/tcp/4200'],
    },
  }
  change(value)
  return assertManifest(JSON.parse(JSON.stringify(value)))
}

const sha = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())

/** Salt of (shard, size, n) of the test federation, by node:crypto alone. */
export function testSalt(shard: number, size: number, n: number): Uint8Array {
  return new Uint8Array(createHmac('sha256', `shard ${shard}`).update(`${size}/${n}`).digest())
}

export function testCommitments(shard: number, epoch: number): Uint8Array[] {
  return epochToBlocks(epoch).map(({ size, n }) => {
    const head = Buffer.alloc(5)
    head.writeUInt8(size)
    head.writeUInt32BE(n, 1)
    return sha(Buffer.from('geotrace/commit'), head, testSalt(shard, size, n))
  })
}

/** The Merkle tree of a shard's sheet. */
export function testTree(certified: Pick<CertifiedRoster, 'roster'>, shard: number): Uint8Array[][] {
  const { roster } = certified
  const lines = Array.from({ length: sheetEpochs(roster) }, (_, i) =>
    sha(...testCommitments(shard, roster.firstEpoch + i)),
  )
  return linesToTree(new Uint8Array(Buffer.concat(lines)))
}

/** Roster 0 of the manifest, certified by its first `voters` operators. */
export function foundRoster(manifest: Manifest, voters = manifest.operators.length, sheetSigners = 3): CertifiedRoster {
  const roster = manifestToRoster(manifest)
  roster.sheets = Array.from({ length: roster.shards }, (_, shard) => treeToRoot(testTree({ roster }, shard)))
  const sheetSignatures = roster.sheets.map((root, shard) => {
    const content = sheetContent({
      federation: roster.federation,
      shard,
      firstEpoch: roster.firstEpoch,
      epochs: sheetEpochs(roster),
      root,
    })
    return shardToReplicas(roster, shard)
      .slice(0, sheetSigners)
      .map((member): [number, Uint8Array] => {
        const index = roster.members.indexOf(member)
        return [index, signContent(signerOf(`peer/${manifest.members[index]!.operator}`), 'geotrace/sheet', content)]
      })
  })
  const body = encodeRoster(roster)
  const votes = manifest.operators.slice(0, voters).map(({ name }, operator) => ({
    operator,
    signature: signContent(signerOf(`operator/${name}`), 'geotrace/vote', bodyToHash(body)),
  }))
  return bodyToCertified(body, sheetSignatures, votes)
}

export const hex = hexToBytes
