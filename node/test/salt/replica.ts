/** The replicas of one shard, each with real shards, seed rounds and seed service, for tests of seeds. */
import type { Random } from '@geotrace/core-wasm'
import { simulatedClock } from '@geotrace/core-wasm'
import {
  bodyToCertified,
  type CertifiedRoster,
  encodeRoster,
  equalBytes,
  manifestToRoster,
  type Roster,
  SEEDS_PROTOCOL,
  shardToReplicas,
} from '@geotrace/core-wasm/wire'
import { fileRecords } from '../../src/platform/file-records.ts'
import { silent } from '../../src/platform/log.ts'
import { nativeSigner } from '../../src/platform/native-signer.ts'
import { systemRandom } from '../../src/platform/random.ts'
import type { Holdings } from '../../src/salt/holdings.ts'
import { seedKeeper } from '../../src/salt/secrets/seed-keeper.ts'
import { seedRounds } from '../../src/salt/seed-rounds.ts'
import { seedService } from '../../src/salt/seed-service.ts'
import { createShards } from '../../src/salt/shards.ts'
import { type Cast, cast, core, type Stage } from './federation.ts'

const NOW = Date.UTC(2026, 5, 1, 12)

/** A cast whose nodes all replicate one shard; secrets in the order of rank. */
export async function replicas(count: number): Promise<{ players: Cast; byRank: Uint8Array[] }> {
  const players = await cast(count, NOW, { shards: 1, replicas: count, reserveEpochs: 0, periodEpochs: 2 })
  const order = shardToReplicas(manifestToRoster(players.manifest), 0)
  const byRank = order.map(({ key }) => players.secrets.find((secret) => equalBytes(nativeSigner(secret).key, key))!)
  return { players, byRank }
}

/** Long enough for every rank to have waited for the ranks below. */
const PATIENT_MS = 60_000

/** One replica without membership: shards, seed rounds and, after `up`, the seed service. `signed` are the known roots, `more` other fields of the roster. */
export async function replica(
  stage: Stage,
  { manifest }: Cast,
  secret: Uint8Array,
  dir?: string,
  signed: { key: Uint8Array; root(): Uint8Array | undefined }[] = [],
  more: Partial<Roster> = {},
) {
  const roster = { ...manifestToRoster(manifest), ...more }
  const signer = nativeSigner(secret)
  const clock = simulatedClock(NOW)
  const keeper = seedKeeper(core)
  const records = await fileRecords(dir ?? (await stage.dir()))
  let certified: CertifiedRoster | undefined
  let drawn = 0
  const given: number[] = []
  const random: Random = (length) => {
    drawn++
    return systemRandom(length)
  }
  const shards = createShards({
    roster,
    signer,
    core,
    random,
    records,
    keeper,
    certified: () => certified,
  })
  const { addresses } = roster.members.find(({ key }) => equalBytes(key, signer.key))!
  let host = await stage.host(clock, secret)
  let rounds = seedRounds({ shards, keeper, host, core, clock, log: silent, certified: () => certified })
  const shard = shards.all[0]!
  return {
    shard,
    shards,
    drawn: () => drawn,
    /** Ranks of the replicas that got the seed after the certificate. */
    given,
    key: signer.key,
    acquire: (forMs = PATIENT_MS) =>
      rounds.acquire(forMs, (key) => signed.find((item) => equalBytes(item.key, key))?.root()),
    root: () => shard.signed?.root,
    seed: () => keeper.seed(0, roster.firstEpoch)?.state,
    async up() {
      await host.stop()
      host = await stage.host(clock, secret, addresses)
      rounds = seedRounds({ shards, keeper, host, core, clock, log: silent, certified: () => certified })
      const holdings = {
        find: (firstEpoch: number) => (firstEpoch === shards.firstEpoch ? { shards, shard } : undefined),
        certified: () => certified,
      } as unknown as Holdings
      await host.serve(SEEDS_PROTOCOL, seedService({ holdings, keeper, handedOver: ({ rank }) => given.push(rank) }))
    },
    certify(sheets: Uint8Array[]) {
      certified = bodyToCertified(encodeRoster({ ...roster, sheets }), [], [])
    },
  }
}

export type TestReplica = Awaited<ReturnType<typeof replica>>
