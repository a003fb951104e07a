/** A status with a value in every field. Its federation and its hint hold markup that the page must escape. */
import { SPAN_MS } from '../../../src/admin/history.ts'
import type { NodeStatus } from '../../../src/admin/node-status.ts'

const NOW = Date.UTC(2026, 10, 21, 12, 7)

export const STATUS: NodeStatus = {
  version: '1.2.3',
  node: 'anna',
  federation: '<img src=x onerror="alert(1)"> & Söhne',
  federationId: '0123456789abcdef',
  peerId: '12D3KooWBahSyktDiiXsqx5ea9geaF9vF82oGMHujAVrG1oBQm12',
  state: 'serving',
  health: 'serving',
  hints: [{ level: 'warn', what: 'the <b>clock</b> is off', next: 'run `geotrace doctor`' }],
  nowMs: NOW,
  uptimeMs: 90 * 60_000,
  roster: {
    height: 7,
    name: '0123456789abcdef',
    fromMs: NOW - 3_600_000,
    untilMs: NOW + 3_600_000,
    reserveUntilMs: NOW + 7_200_000,
  },
  nextRoster: undefined,
  joining: undefined,
  nextPeriod: { neededMs: NOW + 7_200_000, parts: 20, missing: [{ shard: 1, parts: 2 }] },
  soleShards: [],
  relay: { passed: 120, refused: 4, isLinked: true, seal: '5ea1'.repeat(16), sealedUntilMs: NOW + 3_600_000 },
  shardCount: 5,
  shards: [
    { shard: 1, held: true },
    { shard: 4, held: false },
  ],
  reach: { asked: 4, answered: 3, strayed: ['birch'], atMs: NOW - 60_000 },
  clockOffsetMs: -38,
  salting: { kind: 'threshold', threshold: 3, replicas: 5, devicesPerAddress: 16 },
  evaluations: [
    { shard: 4, fromMs: NOW - 7 * 60_000, atMost: 12_500 },
    { shard: 1, fromMs: NOW - 87 * 60_000, atMost: 500 },
  ],
  evaluationsMax: 1_000_000,
  answered: 12_345,
  refused: { QUOTA_SPENT: 2, WRONG_SHARD: 40 },
  quotaEntries: 9,
  network: { connections: 3, waiting: 0, inFlight: 0, protocols: {} },
  connectionsMax: 500,
  memoryBytes: 100 << 20,
  memoryMaxBytes: 512 << 20,
  diskFreeBytes: 20_000 * (1 << 20),
  core: { sha256: 'ab'.repeat(32), pinned: true },
  release: { apps: [] },
  votes: true,
  history: [{ fromMs: Math.floor(NOW / SPAN_MS) * SPAN_MS, answered: 12_345, refused: 42 }],
}
