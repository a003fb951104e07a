/** A founded federation of real nodes on a simulated clock, with functions that drive it from one roster to the next. */

import type { Random } from '@geotrace/core-wasm'
import { type SimulatedClock, simulatedClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  type CertifiedRoster,
  EPOCH_MS,
  EPOCH_OPENS_BEFORE_MS,
  effortSpan,
  encodeSaltRequest,
  hashToRosterName,
  nextFirstEpoch,
  quorum,
  SALT_PROTOCOL,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import type { Membership } from '../../src/membership/membership.ts'
import type { Host } from '../../src/net/protocol.ts'
import type { SaltNode } from '../../src/salt/node.ts'
import type { SaltNodeInit } from '../../src/salt/open-node.ts'
import {
  type Cast,
  cast,
  isServing,
  ONE_ADDRESS,
  type Stage,
  startAll,
  until,
  untilLater,
  watchedRandom,
} from '../salt/federation.ts'

export const NOW = Date.UTC(2026, 5, 1, 12)

/** After this time an effort without a result has failed, because every proposer has had its turn. */
const TRIED_MS = 180_000
/** Longer than the interval between two rounds while no roster is due, so every operator has published its nonces. */
const QUIET_MS = 61_000

export interface Era {
  players: Cast
  clock: SimulatedClock
  nodes: SaltNode[]
  dirs: string[]
  central: Membership
  client: Host
  /** Every draw of 32 bytes: seeds and the keys of quota tables. */
  drawn: Uint8Array[]
  /** The randomness of nodes that join. */
  random: Random
  memberships(): Membership[]
  /** Moves the clock to the next roster's effort, and on until every membership of `who` has the roster of `height`. */
  drive(height: number, who?: () => Membership[]): Promise<CertifiedRoster>
  /** Stops node `i`, starts another one on its directory, and waits until this node serves. */
  restart(i: number, more?: Partial<SaltNodeInit>): Promise<SaltNode>
  /** Starts another node `i` on its directory. The caller stops the former node. */
  start(i: number, more?: Partial<SaltNodeInit>): Promise<SaltNode>
}

/** A period is one epoch: a roster every 80 minutes. */
export async function startEra(stage: Stage, count: number, replicas = Math.min(3, count)): Promise<Era> {
  const clock = simulatedClock(NOW)
  const { random, drawn } = watchedRandom()
  const players = await cast(count, NOW, { periodEpochs: 1, reserveEpochs: 14, shards: 6, replicas })
  const central = await stage.central(players, clock)
  const started = startAll(stage, players, clock, random, { limits: ONE_ADDRESS })
  await Promise.all([central.start(), started])
  const { nodes, dirs } = await started
  const client = await stage.host(clock)
  await untilLater(clock, () => nodes.every(isServing) && central.rosters.newest !== undefined)
  const memberships = (): Membership[] => [central, ...nodes.flatMap((node) => node.membership() ?? [])]
  const start: Era['start'] = async (i, more = {}) => {
    const init = { manifest: players.manifest, secret: players.secrets[i]!, dir: dirs[i]!, clock, seedRandom: random }
    const votes = { operatorSecret: players.operatorSecrets[i]!, limits: ONE_ADDRESS }
    const node = stage.node({ ...init, ...votes, ...more })
    nodes[i] = node
    await node.start()
    return node
  }
  return {
    ...{ players, clock, nodes, dirs, central, client, drawn, random, memberships, start },
    async drive(height, who = memberships) {
      const isThere = (): boolean => who().every(({ rosters }) => rosters.nextHeight > height)
      for (;;) {
        const { roster } = central.rosters.newest!
        const { from, to } = effortSpan(roster.periodEpochs, nextFirstEpoch(roster, clock.now()))
        if (from > clock.now() + QUIET_MS) await exchangeNonces(clock, who)
        if (from > clock.now()) await clock.jumpTo(from)
        const triedMs = clock.now() + TRIED_MS
        await untilLater(clock, () => isThere() || clock.now() > triedMs)
        if (isThere()) return central.rosters.at(height)!
        // On a slow machine two proposers may take the same turn and split the votes. Then the next period decides.
        if (to > clock.now()) await clock.jumpTo(to)
      }
    },
    async restart(i, more) {
      await nodes[i]!.stop()
      const node = await start(i, more)
      await untilLater(clock, () => isServing(node))
      return node
    },
  }
}

/**
 * Waits until those who are peers know the same nonces, a quorum of them. The simulated clock may jump to the next effort at
 * once, but messages need real time; operators without the nonces would certify a roster that ranks nobody.
 */
async function exchangeNonces(clock: SimulatedClock, who: () => Membership[]): Promise<void> {
  await clock.jumpTo(clock.now() + QUIET_MS)
  const given = (list: readonly unknown[]): number => list.filter((item) => item !== null).length
  const counts = ({ pool: { nonces } }: Membership): string =>
    [nonces.commitments(), nonces.reveals()].map(given).join()
  const isQuorum = (list: readonly unknown[]): boolean => list.length === 0 || given(list) >= quorum(list.length)
  const isKnown = ({ pool: { nonces } }: Membership): boolean =>
    isQuorum(nonces.commitments()) && isQuorum(nonces.reveals())
  const triedMs = clock.now() + TRIED_MS
  await untilLater(clock, () => {
    const all = who().filter((membership) => membership.isPeer())
    return clock.now() > triedMs || (all.every(isKnown) && new Set(all.map(counts)).size === 1)
  })
}

/** The salt that every replica of a shard gives for the first epoch of a roster, checked as a client checks it. */
export async function askReplicas({ client, clock, nodes }: Era, certified: CertifiedRoster, shard: number) {
  const { firstEpoch } = certified.roster
  const opensMs = firstEpoch * EPOCH_MS - EPOCH_OPENS_BEFORE_MS
  if (clock.now() < opensMs) await clock.jumpTo(opensMs)
  const blocks = [{ size: 80, n: firstEpoch }]
  const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
  const answers: { node: SaltNode; salt: Uint8Array }[] = []
  for (const { key, addresses } of shardToReplicas(certified.roster, shard)) {
    const node = nodes.find((item) => Buffer.compare(item.key, key) === 0)!
    const salt = async (): Promise<Uint8Array> => {
      const bytes = await client.request({ key, addresses: node.addresses().concat(addresses) }, SALT_PROTOCOL, request)
      return answerToSalts(bytes, certified, shard, blocks, key).salts[0]!
    }
    // A node that started late knows the roster before it has the seeds.
    await until(() => node.status().shards.every((item) => item.firstEpoch !== firstEpoch || item.held))
    answers.push({ node, salt: await salt() })
  }
  return answers
}
