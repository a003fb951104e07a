/** The status of a healthy salt node, for tests that change one value of it. */
import type { FederationView } from '../../../src/cli/salt/federation-view.ts'
import { nodeStatus } from '../../../src/cli/salt/health.ts'
import type { SaltNodeStatus } from '../../../src/salt/node-status.ts'

const HASH = 'a'.repeat(64)
export const NOW = Date.UTC(2026, 10, 21, 12)
export const HOUR = 3_600_000

const ROSTER = {
  height: 3,
  name: '0123456789abcdef',
  fromMs: NOW - HOUR,
  untilMs: NOW + HOUR,
  reserveUntilMs: NOW + 2 * HOUR,
}

export const sampleView = (more: Partial<FederationView> = {}): FederationView => ({
  roster: ROSTER,
  nextRoster: undefined,
  joining: undefined,
  soleShards: [],
  central: { isLinked: true, seal: '5ea1'.repeat(16), sealedUntilMs: NOW + HOUR },
  votes: true,
  ...more,
})

export const saltStatus = (more: Partial<SaltNodeStatus> = {}): SaltNodeStatus => ({
  state: 'serving',
  peerId: '12D3KooWBahSyktDiiXsqx5ea9geaF9vF82oGMHujAVrG1oBQm12',
  startedMs: NOW - HOUR,
  roster: {
    ...ROSTER,
    core: { simd: HASH, scalar: 'b'.repeat(64) },
    shards: 5,
    evaluations: 1_000_000,
  },
  core: HASH,
  shards: [{ firstEpoch: 0, shard: 1, held: true }],
  nextPeriod: undefined,
  membership: undefined,
  clockOffsetMs: 0,
  reach: { asked: 4, answered: 4, strayed: [], atMs: NOW },
  network: { connections: 1, waiting: 0, inFlight: 0, protocols: {} },
  salting: 'threshold',
  evaluations: [],
  answered: 1_000,
  refused: {},
  quotaEntries: 0,
  ...more,
})

export const sampleStatus = (
  more: Partial<SaltNodeStatus> = {},
  rest: Partial<Omit<Parameters<typeof nodeStatus>[0], 'status'>> = {},
) =>
  nodeStatus({
    status: saltStatus(more),
    version: '1.2.3',
    node: 'anna',
    federation: 'test',
    federationId: '0123456789abcdef',
    view: sampleView('roster' in more ? { roster: more.roster } : {}),
    strayed: [],
    nowMs: NOW,
    connectionsMax: 500,
    parameters: { salting: 'threshold', threshold: 3, replicas: 5, devicesPerAddress: 16 },
    memoryBytes: 100,
    memoryMaxBytes: 200,
    diskFreeBytes: 1 << 30,
    abstainsUntilMs: undefined,
    history: [],
    release: { apps: [] },
    ...rest,
  })
