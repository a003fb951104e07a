/** The founding of a federation in memory: manifest, sheets and certificate from the wire rules and node:crypto alone. */
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
  keyToPeerId,
  linesToTree,
  type Manifest,
  manifestToRoster,
  type Parameters,
  secretToSigner,
  shardToReplicas,
  sheetContent,
  sheetEpochs,
  signContent,
  treeToRoot,
} from '@geotrace/core-wasm/wire'

const PHRASE = 'a phrase for the client tests'
export const OPERATORS = ['ash', 'birch', 'cedar', 'elm', 'fir'] as const
export const CENTRAL = 'office'
export const signerOf = (role: string) => secretToSigner(demoSecret(PHRASE, role))

export function fakeManifest(atMs: number, parameters: Partial<Parameters> = {}): Manifest {
  const names = [...OPERATORS, CENTRAL]
  const peer = (name: string, i: number) => ({
    peerId: keyToPeerId(signerOf(`peer/${name}`).key),
    operator: name,
    addresses: [`/ip4/127.0.0.1/tcp/${4100 + i}`],
  })
  return assertManifest({
    version: 1,
    name: 'fake',
    demo: { phrase: PHRASE },
    founding: { nonce: '5a'.repeat(32), at: new Date(atMs).toISOString() },
    parameters: {
      resolution: 12,
      blockSizesMin: [5, 10, 20, 40, 80],
      saltWindowMin: 180,
      saltsPerRequest: 90,
      salting: 'plain',
      quota: 'rolling',
      shards: 2,
      replicas: 3,
      threshold: 1,
      periodEpochs: 18,
      reserveEpochs: 14,
      retentionDays: 14,
      syncRequestBytes: [2048, 8192, 32768],
      syncReplyBytes: 2048,
      ...parameters,
    },
    core: { simd: '22'.repeat(32), scalar: '33'.repeat(32) },
    operators: names.map((name) => ({ name, key: bytesToHex(signerOf(`operator/${name}`).key) })),
    members: OPERATORS.map(peer),
    central: peer(CENTRAL, OPERATORS.length),
  })
}

const sha = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest())

/** Salt of (shard, size, n), by node:crypto alone. */
export function fakeSalt(shard: number, size: number, n: number): Uint8Array {
  return new Uint8Array(createHmac('sha256', `shard ${shard}`).update(`${size}/${n}`).digest())
}

export function fakeCommitments(shard: number, epoch: number): Uint8Array[] {
  return epochToBlocks(epoch).map(({ size, n }) => {
    const head = Buffer.alloc(5)
    head.writeUInt8(size)
    head.writeUInt32BE(n, 1)
    return sha(Buffer.from('geotrace/commit'), head, fakeSalt(shard, size, n))
  })
}

/** The Merkle tree of each shard's sheet. */
export type FakeTrees = Uint8Array[][][]

export function fakeTrees(manifest: Manifest): FakeTrees {
  const roster = manifestToRoster(manifest)
  return Array.from({ length: roster.shards }, (_, shard) => {
    const lines = Array.from({ length: sheetEpochs(roster) }, (_, i) =>
      sha(...fakeCommitments(shard, roster.firstEpoch + i)),
    )
    return linesToTree(new Uint8Array(Buffer.concat(lines)))
  })
}

export function foundRoster(manifest: Manifest, trees: FakeTrees): CertifiedRoster {
  const roster = { ...manifestToRoster(manifest), sheets: trees.map(treeToRoot) }
  const { federation, firstEpoch } = roster
  const sheetSignatures = roster.sheets.map((root, shard) => {
    const content = sheetContent({ federation, shard, firstEpoch, epochs: sheetEpochs(roster), root })
    return shardToReplicas(roster, shard).map((member): [number, Uint8Array] => {
      const index = roster.members.indexOf(member)
      return [index, signContent(signerOf(`peer/${OPERATORS[index]!}`), 'geotrace/sheet', content)]
    })
  })
  const body = encodeRoster(roster)
  const votes = manifest.operators.map(({ name }, operator) => ({
    operator,
    signature: signContent(signerOf(`operator/${name}`), 'geotrace/vote', bodyToHash(body)),
  }))
  return bodyToCertified(body, sheetSignatures, votes)
}
