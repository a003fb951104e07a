/**
 * A replica that makes two seeds of a part and hands each other replica one of them, signed. PROTOCOL.md §4.7, §7.4. It
 * gives the lines that go with the seed of the one who asks. In a shard with one part it also states the root.
 */
import type { Core } from '@geotrace/core-wasm'
import { loadGroup } from '@geotrace/core-wasm/voprf'
import {
  decodeLinesReply,
  decodeSeedsReply,
  decodeSeedsRequest,
  encodeLinesReply,
  encodeSeedsReply,
  equalBytes,
  HASH_BYTES,
  type Manifest,
  type PartSeed,
  partCount,
  partLinesToHash,
  type Roster,
  SEEDS_PROTOCOL,
  type Signer,
  STATUS_OK,
  seedContent,
  shardToReplicas,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import { wrapSeeds } from '../../salt/secrets/seed-wrap.ts'
import { plainRule, thresholdRule } from '../../salt/sheets/line-rules.ts'
import { seedToLines } from '../../salt/sheets/sheet-maker.ts'
import { linesToSheetTree } from '../../salt/sheets/sheet-tree.ts'
import type { Tamper } from './network.ts'
import type { SeededRandom } from './seeded-random.ts'

interface TwoSeedsInit {
  readonly manifest: Manifest
  readonly core: Core
  /** The maker. */
  readonly signer: Signer
  readonly random: SeededRandom
  /** The roster that begins with this epoch, certified or due. */
  rosterOf(firstEpoch: number): Roster | undefined
  /** Takes note of the seeds that the maker makes up. */
  noteDrawn(state: Uint8Array): void
}

interface Variant {
  readonly seed: PartSeed
  readonly lines: Uint8Array
  /** The root of a shard with this part alone. */
  readonly root: Uint8Array
}
/** A part of a shard in one period. */
interface Place {
  readonly shard: number
  readonly firstEpoch: number
  readonly part: number
}

export function twoSeeds(init: TwoSeedsInit): Tamper {
  const { manifest, signer, random } = init
  const { replicas, threshold } = manifest.parameters
  const made = new Map<string, Promise<readonly Variant[]>>()
  /** The variant for a replica when this node made the seed of the part, as its true message shows. */
  const variantFor = async (place: Place, key: Uint8Array | undefined, maker: number): Promise<Variant | undefined> => {
    const { shard, firstEpoch, part } = place
    const roster = init.rosterOf(firstEpoch)
    const ranked = roster === undefined ? [] : shardToReplicas(roster, shard)
    const rankOf = (wanted: Uint8Array): number => ranked.findIndex((replica) => equalBytes(replica.key, wanted))
    const [own, other] = [rankOf(signer.key), key === undefined ? -1 : rankOf(key)]
    if (roster === undefined || own < 0 || other < 0 || maker !== own) return undefined
    const name = `${shard} ${firstEpoch} ${part}`
    const pair = made.get(name) ?? makeVariants(init, roster, { place, rank: own }, random.fork(name))
    made.set(name, pair)
    return (await pair)[other % 2]
  }
  return async (protocol, bytes, reply, from) => {
    if (protocol.id !== SEEDS_PROTOCOL.id || reply[0] !== STATUS_OK) return reply
    const request = decodeSeedsRequest(bytes)
    if (request.op === 'offer') return reply
    if (request.op === 'lines') {
      const { maker } = decodeLinesReply(reply)
      const variant = await variantFor(request, from.key, maker)
      if (variant === undefined) return reply
      const some = variant.lines.subarray(request.from * HASH_BYTES, (request.from + request.count) * HASH_BYTES)
      return encodeLinesReply({ maker, signature: variant.seed.signature, lines: some })
    }
    const { root, parts } = decodeSeedsReply(reply)
    // A seed in use was wound on, and nobody would take another one.
    const whole = parts.filter(({ epoch }) => epoch === request.firstEpoch)
    const places = whole.map(({ part, maker }) => ({ place: { ...request, part }, maker }))
    const all = await Promise.all(places.map(({ place, maker }) => variantFor(place, from.key, maker)))
    const variants = all.filter((variant) => variant !== undefined)
    if (variants.length === 0) return reply
    const seeds = variants.map(({ seed }) => seed)
    const wrapped = wrapSeeds(await loadGroup(), random.bytes, request.takerKey, seeds)
    return encodeSeedsReply({ root: partCount(replicas, threshold) === 1 ? variants[0]!.root : root, ...wrapped })
  }
}

async function makeVariants(
  { core, manifest, signer, noteDrawn }: TwoSeedsInit,
  roster: Roster,
  { place, rank }: { place: Place; rank: number },
  random: SeededRandom,
): Promise<Variant[]> {
  const { federation, previous, firstEpoch } = roster
  const { shard, part } = place
  const isPlain = manifest.parameters.salting === 'plain'
  const rule = isPlain ? plainRule(core) : thresholdRule(core, await loadGroup())
  const variants: Variant[] = []
  for (let i = 0; i < 2; i++) {
    const state = random.bytes(HASH_BYTES)
    noteDrawn(state.slice())
    const lines = await seedToLines(core, rule, state, firstEpoch, sheetEpochs(roster))
    const hash = partLinesToHash(lines)
    const content = seedContent({ federation, previous, shard, firstEpoch, part, hash })
    const signature = signContent(signer, 'geotrace/seed', content)
    const seed = { part, epoch: firstEpoch, state, quotaKey: random.bytes(HASH_BYTES), maker: rank, signature }
    variants.push({ seed, lines, root: linesToSheetTree(core, rule.toSheet([lines])).root })
  }
  return variants
}
