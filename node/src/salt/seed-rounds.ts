/**
 * How a node comes by the seeds of its shards. PROTOCOL.md §5.1.
 * It asks the other replicas first. Before the certificate, the lowest-ranked replica that is there makes the seed and
 * offers it; it signs once a majority has it, and gives its own up for one that another replica has signed already.
 * After the certificate nobody makes one: what no replica has is lost until the next roster.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  type CertifiedRoster,
  decodeDone,
  decodeSeedReply,
  decodeSheetsReply,
  encodeRosterRequest,
  encodeSeedsRequest,
  isFederationError,
  ROSTER_PROTOCOL,
  SEEDS_PROTOCOL,
  type Seed,
  sheetQuorum,
} from '@geotrace/core-wasm/wire'
import type { Log } from '../log.ts'
import { fanOut } from '../membership/fan-out.ts'
import type { SheetSource } from '../membership/founding.ts'
import type { Host } from '../net/protocol.ts'
import type { Hashes } from './ratchet.ts'
import type { SeedKeeper } from './seed-keeper.ts'
import { type Mate, type Shard, type Shards, wipe } from './shards.ts'
import { recoverTree } from './sheet-recovery.ts'

export interface SeedRoundsInit {
  shards: Shards
  keeper: SeedKeeper
  host: Host
  core: Hashes
  clock: Clock
  log: Log
  certified(): CertifiedRoster | undefined
}
export interface SeedRounds extends SheetSource {
  /** Shards whose seed is still missing. */
  missing(): readonly Shard[]
}

/** What a mate said when asked for the seed. */
type Finding = { mate: Mate; seed: Seed } | { mate: Mate; seed: undefined }

export function seedRounds({ shards, keeper, host, core, clock, log, certified }: SeedRoundsInit): SeedRounds {
  const { firstEpoch } = shards

  /** Mates that answered, by rank; one that cannot be reached is not among them. */
  const fetch = async ({ shard, mates }: Shard): Promise<Finding[]> => {
    const findings: Finding[] = []
    await fanOut(mates, async (mate) => {
      try {
        const bytes = await host.request(mate, SEEDS_PROTOCOL, encodeSeedsRequest({ op: 'fetch', shard, firstEpoch }))
        findings.push({ mate, seed: decodeSeedReply(bytes) })
      } catch (error) {
        if (!isAway(error)) findings.push({ mate, seed: undefined })
      }
    })
    return findings.sort((a, b) => a.mate.rank - b.mate.rank)
  }

  /** Takes the first of the seeds that stands. */
  const takeFrom = async (shard: Shard, findings: readonly Finding[]): Promise<boolean> => {
    for (const { mate, seed } of findings) {
      if (seed === undefined) continue
      const roster = certified()
      if (seed.epoch === firstEpoch) {
        if (await shards.take(shard, seed)) return true
      } else if (roster !== undefined) {
        const late = await recoverTree({ host, core, clock, certified: roster, shard: shard.shard, seed, mate }).catch(
          () => undefined,
        )
        if (late !== undefined && (await shards.takeLate(shard, late.seed, late.tree))) return true
      }
    }
    return false
  }

  const offer = async (shard: Shard): Promise<void> => {
    const seed = keeper.seed(shard.shard, firstEpoch)
    if (seed === undefined) return
    const request = encodeSeedsRequest({ op: 'offer', shard: shard.shard, firstEpoch, seed })
    wipe(seed)
    const need = sheetQuorum(shard.mates.length + 1)
    const refusers: Mate[] = []
    let holders = 1
    await fanOut(
      shard.mates,
      async (mate) => {
        try {
          decodeDone(await host.request(mate, SEEDS_PROTOCOL, request))
          holders++
        } catch (error) {
          if (isFederationError(error, 'FORBIDDEN')) refusers.push(mate)
        }
      },
      () => holders >= need,
    )
    if (holders >= need) await shards.sign(shard)
    else if (certified() === undefined) await giveWay(shard, refusers)
  }

  /** Two replicas made a seed, each unable to see the other: the signed one stands, else that of the lower rank. */
  const giveWay = async (shard: Shard, refusers: readonly Mate[]): Promise<void> => {
    for (const mate of [...refusers].sort((a, b) => a.rank - b.rank)) {
      if (mate.rank > shard.rank && !(await hasSigned(mate, shard.shard))) continue
      const request = encodeSeedsRequest({ op: 'fetch', shard: shard.shard, firstEpoch })
      const bytes = await host.request(mate, SEEDS_PROTOCOL, request).catch(() => undefined)
      if (bytes === undefined) continue
      if (shard.signed !== undefined || certified() !== undefined) return
      shards.drop(shard)
      log.info('seed.gave-way', { shard: shard.shard })
      if (await shards.take(shard, decodeSeedReply(bytes))) await shards.sign(shard)
      return
    }
  }
  const hasSigned = async (mate: Mate, shard: number): Promise<boolean> => {
    const bytes = await host
      .request(mate, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'sheets' }))
      .catch(() => undefined)
    return bytes !== undefined && decodeSheetsReply(bytes).some((sheet) => sheet.shard === shard)
  }

  const acquire = async (shard: Shard): Promise<void> => {
    if (shard.signed !== undefined) return
    if (shards.isHeld(shard)) {
      if (certified() === undefined) await (shard.isMine ? offer(shard) : shards.sign(shard))
      return
    }
    const findings = await fetch(shard)
    if (await takeFrom(shard, findings)) {
      if (certified() === undefined) await shards.sign(shard)
      return
    }
    const isTheirs = findings.some(({ mate }) => mate.rank < shard.rank)
    if (certified() === undefined && !isTheirs && (await shards.make(shard))) await offer(shard)
    else noteLoss(shard)
  }
  const noteLoss = (shard: Shard): void => {
    if (certified() === undefined || shard.isLost || shards.isHeld(shard)) return
    shard.isLost = true
    log.warn('seed.missing', { shard: shard.shard })
  }

  const signatures = (): number => shards.all.filter(({ signed }) => signed !== undefined).length
  return {
    missing: () => shards.all.filter((shard) => shard.tree === undefined),
    signedSheets: () => shards.all.flatMap(({ signed }) => (signed === undefined ? [] : [signed])),
    async acquire() {
      const before = signatures()
      await fanOut(shards.all, acquire)
      return signatures() > before
    },
  }
}

function isAway(error: unknown): boolean {
  return isFederationError(error, 'PEER_UNREACHABLE') || isFederationError(error, 'PEER_TIMEOUT')
}
