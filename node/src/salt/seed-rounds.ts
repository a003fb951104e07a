/**
 * How a node obtains the seeds of its shards in one period. PROTOCOL.md §4.7, §5.1.
 * It asks the other replicas first. Before the certificate, the lowest-ranked reachable replica makes the seed and offers
 * it. A replica signs when a majority holds the same seed, or in the second half of the effort whatever seed it holds.
 * Until then it gives its seed up for one that another replica signed, or that a replica of lower rank made.
 * After the certificate no replica makes a seed: one that no replica has is lost until the next roster.
 */
import { type Clock, oneAtATime } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeDone,
  decodeSeedReply,
  effortSpan,
  encodeSeedsRequest,
  equalBytes,
  isFederationError,
  isVacant,
  SEEDS_PROTOCOL,
  type Seed,
  sheetQuorum,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../net/protocol.ts'
import { fanOut } from '../platform/fan-out.ts'
import type { Log } from '../platform/log.ts'
import type { Hashes } from './secrets/ratchet.ts'
import type { SeedKeeper } from './secrets/seed-keeper.ts'
import { type Replica, type Shard, type Shards, wipe } from './shards.ts'
import { recoverTree } from './sheet-recovery.ts'

/** How long a rank waits for each rank below it. Peers of one founding start within seconds of each other. */
const PATIENCE_MS = 2_000
/** A replica signs without a majority only after this time, because it may still learn of a majority. */
const SIGN_ANY_AFTER_MS = 30_000

interface SeedRoundsInit {
  shards: Shards
  keeper: SeedKeeper
  host: Host
  core: Hashes
  clock: Clock
  log: Log
  certified(): CertifiedRoster | undefined
}
/** The root that a replica signed for a shard of this period, if it is known here. */
export type SignedRoot = (key: Uint8Array, shard: number) => Uint8Array | undefined

export interface SeedRounds {
  /**
   * One try for each shard that is not held, or that can still be signed. `forMs` is how long this peer has tried for the
   * roster; without `forMs` it asks no replica and signs only what others confirmed.
   */
  acquire(forMs: number | undefined, signedRoot: SignedRoot): Promise<void>
  /** Shards whose seed is still missing. */
  missing(): readonly Shard[]
}

/** The answer of a replica that was asked for the seed. */
interface Finding {
  replica: Replica
  seed: Seed | undefined
}

export function seedRounds({ shards, keeper, host, core, clock, log, certified }: SeedRoundsInit): SeedRounds {
  const { firstEpoch } = shards

  const fetchFrom = async (replica: Replica, { shard }: Pick<Shard, 'shard'>): Promise<Seed | undefined> =>
    decodeSeedReply(await host.request(replica, SEEDS_PROTOCOL, encodeSeedsRequest({ op: 'fetch', shard, firstEpoch })))

  /** The replicas that answered, by rank; a refusal counts as an answer without a seed. */
  const fetch = async ({ shard, otherReplicas }: Shard): Promise<Finding[]> => {
    const findings: Finding[] = []
    await fanOut(otherReplicas, async (replica) => {
      try {
        findings.push({ replica, seed: await fetchFrom(replica, { shard }) })
      } catch (error) {
        if (!isAway(error)) findings.push({ replica, seed: undefined })
      }
    })
    return findings.sort((a, b) => a.replica.rank - b.replica.rank)
  }

  /** Takes the first seed that is valid. */
  const takeFrom = async (shard: Shard, findings: readonly Finding[]): Promise<boolean> => {
    for (const { replica, seed } of findings) {
      if (seed === undefined) continue
      const roster = certified()
      if (seed.epoch === firstEpoch) {
        if (await shards.take(shard, seed, replica.rank)) return true
      } else if (roster !== undefined) {
        const late = await recoverTree({
          host,
          core,
          clock,
          certified: roster,
          shard: shard.shard,
          seed,
          replica,
        }).catch(() => undefined)
        if (late !== undefined && (await shards.takeLate(shard, late.seed, late.tree))) return true
      }
    }
    return false
  }

  /** Offers our seed to the others until a majority holds it; the number of holders, this node included. */
  const offer = async (shard: Shard): Promise<number> => {
    const seed = keeper.seed(shard.shard, firstEpoch)
    if (seed === undefined) return 0
    const request = encodeSeedsRequest({ op: 'offer', shard: shard.shard, firstEpoch, seed })
    wipe(seed)
    const need = sheetQuorum(shard.otherReplicas.length + 1)
    let holders = 1
    await fanOut(
      shard.otherReplicas,
      async (replica) => {
        decodeDone(await host.request(replica, SEEDS_PROTOCOL, request))
        holders++
      },
      () => holders >= need,
    )
    return holders
  }

  /** An unsigned seed gives way to one whose sheet its giver has signed, or to one of a lower rank. */
  const giveWay = async (shard: Shard, findings: readonly Finding[], signedRoot: SignedRoot): Promise<void> => {
    const own = shard.tree?.root
    for (const { replica, seed } of findings) {
      if (seed === undefined || own === undefined) continue
      const root = signedRoot(replica.key, shard.shard)
      if (root === undefined || equalBytes(root, own)) continue
      if (shard.isBound || certified() !== undefined) return
      // A replica that signs one seed and hands out another could make us drop ours every time.
      if (seed.epoch !== firstEpoch || !equalBytes(await shards.rootOf(seed), root)) continue
      if (shard.isBound || certified() !== undefined) return
      shards.drop(shard)
      log.info('seed.gave-way', { shard: shard.shard })
      await shards.take(shard, seed, replica.rank)
      return
    }
    for (const { replica, seed } of findings) if (seed !== undefined) await shards.take(shard, seed, replica.rank)
  }

  /** The certificate names the seed, so the first valid answer of any replica is enough. */
  const recover = async (shard: Shard): Promise<void> => {
    if (shards.isHeld(shard) || isVacantNow(shard)) return
    const turn = oneAtATime()
    await fanOut(
      shard.otherReplicas,
      async (replica) => {
        const seed = await fetchFrom(replica, shard)
        await turn(async () => shards.isHeld(shard) || (await takeFrom(shard, [{ replica, seed }])))
      },
      () => shards.isHeld(shard),
    )
    noteLoss(shard)
  }
  const acquire = async (shard: Shard, forMs: number, signedRoot: SignedRoot): Promise<void> => {
    if (certified() !== undefined) return await recover(shard)
    if (shard.signed !== undefined) return
    const findings = await fetch(shard)
    if (!shards.isHeld(shard) && !(await takeFrom(shard, findings))) {
      // A reachable replica of lower rank makes the seed; an unreachable one gets `PATIENCE_MS` to start.
      const isTheirs = findings.some(({ replica }) => replica.rank < shard.rank) || forMs < shard.rank * PATIENCE_MS
      const isMade = certified() === undefined && !isTheirs && (await shards.make(shard))
      if (!isMade) return noteLoss(shard)
    }
    if (certified() !== undefined) return
    await giveWay(shard, findings, signedRoot)
    const holders = shard.maker === shard.rank ? await offer(shard) : 1 + countSame(shard, findings)
    const isEnough = holders >= sheetQuorum(shard.otherReplicas.length + 1) || (holders > 0 && isLate(forMs))
    if (isEnough && certified() === undefined) await shards.sign(shard)
  }
  /** A sheet that few replicas hold is better than none, because the others may be gone. The founding waits for them. */
  const isLate = (forMs: number): boolean => {
    const { height, periodEpochs } = shards.roster
    return height > 0 && forMs >= SIGN_ANY_AFTER_MS && clock.now() >= effortSpan(periodEpochs, firstEpoch).signAnyFrom
  }
  /** Signs after another replica signed the same root, because that replica saw a majority hold this seed. */
  const follow = async (shard: Shard, signedRoot: SignedRoot): Promise<void> => {
    const root = shard.tree?.root
    if (root === undefined || shard.signed !== undefined || certified() !== undefined) return
    const isSigned = shard.otherReplicas.some(({ key }) => {
      const theirs = signedRoot(key, shard.shard)
      return theirs !== undefined && equalBytes(theirs, root)
    })
    if (isSigned) await shards.sign(shard)
  }
  const countSame = (shard: Shard, findings: readonly Finding[]): number => {
    const own = keeper.seed(shard.shard, firstEpoch)
    if (own === undefined) return 0
    const same = findings.filter(({ seed }) => seed !== undefined && equalBytes(seed.state, own.state)).length
    wipe(own)
    return same
  }
  /** The certified roster leaves the shard vacant, so no replica has a seed for it. */
  const isVacantNow = ({ shard }: Shard): boolean => {
    const roster = certified()?.roster
    return roster !== undefined && isVacant(roster, shard)
  }
  const noteLoss = (shard: Shard): void => {
    if (certified() === undefined || shard.isLost || shards.isHeld(shard)) return
    shard.isLost = true
    log.warn('seed.missing', { shard: shard.shard })
  }

  return {
    missing: () => shards.all.filter((shard) => shard.tree === undefined && !isVacantNow(shard)),
    async acquire(forMs, signedRoot) {
      await fanOut(shards.all, (shard) => follow(shard, signedRoot))
      if (forMs !== undefined) await fanOut(shards.all, (shard) => acquire(shard, forMs, signedRoot))
    },
  }
}

function isAway(error: unknown): boolean {
  return isFederationError(error, 'PEER_UNREACHABLE') || isFederationError(error, 'PEER_TIMEOUT')
}
