/**
 * How a node comes by the seeds of its shards in one period. PROTOCOL.md §5.1.
 * It asks the other replicas first. Before the certificate, the lowest-ranked replica that is there makes the seed and
 * offers it. A replica signs when a majority holds the same seed, or what it holds when half the time is over, and until
 * then gives its own up for one that another has signed, or that one of a lower rank made.
 * After the certificate nobody makes one: what no replica has is lost until the next roster.
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

/** How long a rank waits for the one below: peers of one founding start within seconds. */
const PATIENCE_MS = 2_000
/** Who has only begun to try may yet hear of a majority. */
const SIGN_ANY_AFTER_MS = 30_000

export interface SeedRoundsInit {
  shards: Shards
  keeper: SeedKeeper
  host: Host
  core: Hashes
  clock: Clock
  log: Log
  certified(): CertifiedRoster | undefined
}
/** The root that a replica signed for a shard of this period, as far as is known here. */
export type SignedRoot = (key: Uint8Array, shard: number) => Uint8Array | undefined

export interface SeedRounds {
  /**
   * One try for each shard that is not held, or not signed while it still can be; the roster is due for `forMs`.
   * Without it nobody is asked: what others confirmed is signed.
   */
  acquire(forMs: number | undefined, signedRoot: SignedRoot): Promise<void>
  /** Shards whose seed is still missing. */
  missing(): readonly Shard[]
}

/** What a replica said when asked for the seed. */
interface Finding {
  replica: Replica
  seed: Seed | undefined
}

export function seedRounds({ shards, keeper, host, core, clock, log, certified }: SeedRoundsInit): SeedRounds {
  const { firstEpoch } = shards

  const fetchFrom = async (replica: Replica, { shard }: Pick<Shard, 'shard'>): Promise<Seed | undefined> =>
    decodeSeedReply(await host.request(replica, SEEDS_PROTOCOL, encodeSeedsRequest({ op: 'fetch', shard, firstEpoch })))

  /** Mates that answered, by rank; one that cannot be reached is not among them. */
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

  /** Takes the first of the seeds that stands. */
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

  /** How many replicas hold our seed after it was offered to all, ourselves included. */
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

  /** Unsigned, it gives way to a seed that the one who signed its sheet handed out, or that comes from a lower rank. */
  const giveWay = async (shard: Shard, findings: readonly Finding[], signedRoot: SignedRoot): Promise<void> => {
    const own = shard.tree?.root
    for (const { replica, seed } of findings) {
      if (seed === undefined || own === undefined) continue
      const root = signedRoot(replica.key, shard.shard)
      if (root === undefined || equalBytes(root, own)) continue
      if (shard.isBound || certified() !== undefined) return
      // Who signs one and hands out another would have us drop ours for ever.
      if (seed.epoch !== firstEpoch || !equalBytes(await shards.rootOf(seed), root)) continue
      if (shard.isBound || certified() !== undefined) return
      shards.drop(shard)
      log.info('seed.gave-way', { shard: shard.shard })
      await shards.take(shard, seed, replica.rank)
      return
    }
    for (const { replica, seed } of findings) if (seed !== undefined) await shards.take(shard, seed, replica.rank)
  }

  /** The certificate says which seed it is: the first that comes and stands will do, whoever has it. */
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
      // A lower rank that is there makes it; one that is not has some time to come up.
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
  /** Better a sheet that few hold than none: the other replicas may be gone for good. The founding waits for them. */
  const isLate = (forMs: number): boolean => {
    const { height, periodEpochs } = shards.roster
    return height > 0 && forMs >= SIGN_ANY_AFTER_MS && clock.now() >= effortSpan(periodEpochs, firstEpoch).signAnyFrom
  }
  /** One who signed saw a majority hold this seed. */
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
  /** Nobody ever had a seed for it. */
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
