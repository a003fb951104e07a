/**
 * Parameters of a new federation, unless its founder chooses others. PROTOCOL.md §4.1.
 * `geotrace federation found`, the demo and the test federations all start from these values.
 */
import type { Parameters } from './manifest-form.ts'

/** The values of a federation with plain salting: fewer replicas, one of which answers alone. */
export const PLAIN_SALTING = { salting: 'plain', replicas: 3, threshold: 1 } as const

export const DEFAULT_PARAMETERS: Parameters = {
  resolution: 12,
  blockSizesMin: [5, 10, 20, 40, 80],
  saltWindowMin: 180,
  saltsPerRequest: 90,
  salting: 'threshold',
  quota: 'rolling',
  shards: 5,
  // Three of five: two replicas of a shard may collude, and two may be away.
  replicas: 5,
  threshold: 3,
  // A stay of an hour, and an hour on foot: 12 fixes of three cells.
  evaluations: [12, 36],
  // Subscribers who share an IPv4 address at a carrier: 16 to 64 (a guess). README "What a quota costs" prints the price.
  devicesPerAddress: 16,
  // About 9,000 devices on foot, 108 evaluations each; five minutes of one core.
  evaluationsPerShardEpoch: 1_000_000,
  periodEpochs: 18,
  // Seven days. A federation that cannot agree on the next roster keeps serving for a week.
  reserveEpochs: 126,
  retentionDays: 14,
  // The largest deposit of each class: no rows or two fixes (61 rows); an hour at one place (179 rows); an hour on foot
  // (12 fixes × 30 rows, 4,924 bytes); three hours on foot; a backlog.
  syncRequestBytes: [1024, 2560, 5120, 16384, 32768],
  // Room for 49 marks, those of the highest risk first. One fix has 30 marks.
  syncReplyBytes: 1024,
  // Native apps need no origin. The operators add the origin of a web app when there is one.
  apps: [],
}
