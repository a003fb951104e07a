/**
 * The salt nodes of the fake federation: they answer with signed entries and Merkle paths. PROTOCOL.md §5.4, §5.6.
 * Throws ROSTER_UNKNOWN, WRONG_SHARD, BLOCK_TOO_OLD, BLOCK_TOO_NEW, QUOTA_SPENT.
 */
import type { Clock } from '@geotrace/core-wasm'
import { testCommitments, testSalt, testSigner, treeToPath } from '@geotrace/core-wasm/testing'
import {
  answerContent,
  type Block,
  blocksToMasks,
  blockToEpoch,
  blockToPosition,
  blockToState,
  bytesToHex,
  type CertifiedRoster,
  concatBytes,
  decodeSaltRequest,
  encodeUnsignedAnswer,
  equalBytes,
  FederationError,
  hashToRosterName,
  keyToShards,
  type Pin,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'

/** The part of a fake federation that its salt nodes use. */
export interface SaltWorld {
  readonly clock: Clock
  readonly rosters: CertifiedRoster[]
  readonly overtaken: readonly CertifiedRoster[]
  readonly pins: readonly Pin[]
  readonly quota: number
  readonly liars: ReadonlySet<string>
  readonly answered: { peer: string; salts: number; roster: CertifiedRoster; epochs: number[] }[]
}

interface FakeSalts {
  /** Adds the Merkle trees of a roster's sheets. */
  add(roster: CertifiedRoster, trees: Uint8Array[][][]): void
  /** Answers a request to the node of an operator. */
  serve(name: string, frame: Uint8Array): Uint8Array
}

export function fakeSalts(world: SaltWorld): FakeSalts {
  const treesOf = new Map<string, Uint8Array[][][]>()
  /** Distinct salts that each node has given. */
  const given = new Map<string, Set<string>>()

  function charge(name: string, shard: number, blocks: readonly Block[]): void {
    const taken = new Set([...(given.get(name) ?? []), ...blocks.map(({ size, n }) => `${shard}/${size}/${n}`)])
    if (taken.size > world.quota) throw new FederationError('QUOTA_SPENT', 'later', { retryAfterMs: 60_000 })
    given.set(name, taken)
  }

  return {
    add: (roster, trees) => void treesOf.set(bytesToHex(roster.hash), trees),
    serve(name, frame) {
      const { shard, roster, blocks } = decodeSaltRequest(frame)
      const signer = testSigner(`peer/${name}`)
      const certified = toRoster(world, roster, blocks)
      if (!keyToShards(certified.roster, signer.key).includes(shard)) {
        throw new FederationError('WRONG_SHARD', 'not mine', { shard })
      }
      assertOpen(blocks, world.clock.now())
      charge(name, shard, blocks)
      const masks = [...blocksToMasks(blocks)]
      world.answered.push({
        peer: name,
        salts: blocks.length,
        roster: certified,
        epochs: masks.map(([epoch]) => epoch),
      })
      const trees = treesOf.get(bytesToHex(certified.hash))!
      const epochs = masks.map(([epoch, mask]) => {
        const entries = toEntries(shard, epoch, blocks)
        if (world.liars.has(name)) entries[0] = new Uint8Array(32)
        return { epoch, mask, entries, path: treeToPath(trees[shard]!, epoch - certified.roster.firstEpoch) }
      })
      const unsigned = encodeUnsignedAnswer({ time: world.clock.now(), roster, shard, epochs })
      return concatBytes(unsigned, signContent(signer, 'geotrace/salt-answer', answerContent(frame, unsigned)))
    },
  }
}

/** The named roster, if each block's epoch is pinned to it, or has no pin and the roster governs it. PROTOCOL.md §4.11. */
export function toRoster(
  { rosters, overtaken, pins }: SaltWorld,
  name: Uint8Array,
  blocks: readonly Block[],
): CertifiedRoster {
  const named = [...rosters, ...overtaken].find(({ hash }) => equalBytes(name, hashToRosterName(hash)))
  const isAnswered = (epoch: number) => {
    const pin = pins.find((item) => item.epoch === epoch)
    return pin === undefined ? governs(named!, epoch) : equalBytes(pin.roster, named!.hash)
  }
  if (named === undefined || !blocks.every(({ size, n }) => isAnswered(blockToEpoch(size, n)))) {
    throw new FederationError('ROSTER_UNKNOWN', 'which roster?')
  }
  return named
}

function governs({ roster }: CertifiedRoster, epoch: number): boolean {
  return roster.firstEpoch <= epoch && epoch < roster.firstEpoch + sheetEpochs(roster)
}

export function assertOpen(blocks: readonly Block[], nowMs: number): void {
  for (const { size, n } of blocks) {
    const state = blockToState(size, n, nowMs)
    if (state === 'too-old') throw new FederationError('BLOCK_TOO_OLD', 'too old', { block: n })
    if (state === 'too-new') throw new FederationError('BLOCK_TOO_NEW', 'too new', { block: n })
  }
}

/** The salts of the requested blocks, and commitments in all other places of the epoch. */
function toEntries(shard: number, epoch: number, blocks: readonly Block[]): Uint8Array[] {
  const entries = testCommitments(shard, epoch)
  for (const { size, n } of blocks) {
    if (blockToEpoch(size, n) === epoch) entries[blockToPosition(size, n)] = testSalt(shard, size, n)
  }
  return entries
}
