/** A replica that hands each other replica one of several seeds of its own, signed, and states the roots that go with them. */
import {
  decodeSeedsRequest,
  encodeLinesReply,
  encodeSeedsReply,
  HASH_BYTES,
  type PartSeed,
  partLinesToHash,
  seedContent,
  sheetEpochs,
  signContent,
} from '@geotrace/core-wasm/wire'
import { wrapSeeds } from '../../../src/salt/secrets/seed-wrap.ts'
import { seedToLines } from '../../../src/salt/sheets/sheet-maker.ts'
import { linesToSheetTree } from '../../../src/salt/sheets/sheet-tree.ts'
import { core } from '../federation.ts'
import type { Group, TestReplica } from './replica.ts'

interface Variant {
  readonly seeds: readonly PartSeed[]
  /** By part. */
  readonly lines: ReadonlyMap<number, Uint8Array>
}

/** The lies of the liar to each rank. */
export interface Deceit {
  /** Which of its seeds, 0 to 2, goes to a rank. */
  variantOf(to: number): number
  /** Whether a rank gets lines and roots only, and no seed. */
  withholdsFrom(to: number): boolean
}

export async function equivocate(group: Group, liar: TestReplica, deceit: Deceit): Promise<void> {
  const variants = await Promise.all([0, 1, 2].map(() => makeVariant(group, liar)))
  const variantFor = (to: number): Variant => variants[deceit.variantOf(to)]!
  const mine = ({ seeds }: Variant, to: number): PartSeed[] =>
    seeds.filter(({ part }) => !deceit.withholdsFrom(to) && liar.shard.parts[part]!.members.includes(to))

  liar.lie = async (bytes, from) => {
    const request = decodeSeedsRequest(bytes)
    const variant = variantFor(from.rank)
    if (request.op === 'offer') return await liar.honestly(bytes, from)
    if (request.op === 'fetch') {
      const parts = mine(variant, from.rank).filter(({ part }) => request.wanted.includes(part))
      const wrapped = wrapSeeds(group.group, (length) => liar.draw(length), request.takerKey, parts)
      return encodeSeedsReply({ root: rootOf(group, liar, variant), ...wrapped })
    }
    const lines = variant.lines.get(request.part)
    if (lines === undefined) return await liar.honestly(bytes, from)
    const { signature } = variant.seeds.find(({ part }) => part === request.part)!
    const some = lines.subarray(request.from * HASH_BYTES, (request.from + request.count) * HASH_BYTES)
    return encodeLinesReply({ maker: liar.rank, signature, lines: some })
  }
}

async function makeVariant({ roster }: Group, liar: TestReplica): Promise<Variant> {
  const { federation, previous, firstEpoch } = roster
  const lines = new Map<number, Uint8Array>()
  const seeds: PartSeed[] = []
  for (const { part, isOwn } of liar.shard.parts) {
    if (!isOwn) continue
    const seed = { epoch: firstEpoch, state: liar.draw(32), quotaKey: liar.draw(32) }
    const own = await seedToLines(core, liar.rule(), seed.state, firstEpoch, sheetEpochs(roster))
    const content = seedContent({ federation, previous, shard: 0, firstEpoch, part, hash: partLinesToHash(own) })
    lines.set(part, own)
    seeds.push({ part, ...seed, maker: liar.rank, signature: signContent(liar.signer, 'geotrace/seed', content) })
  }
  return { seeds, lines }
}

/** The root of the variant, with the lines that the liar knows of the other parts. */
function rootOf(group: Group, liar: TestReplica, { lines }: Variant): Uint8Array | undefined {
  const all = liar.shard.parts.flatMap(({ part, lines: known }) => lines.get(part) ?? known?.lines ?? [])
  if (all.length < liar.shard.parts.length) return undefined
  return linesToSheetTree(core, group.rule().toSheet(all)).root
}
