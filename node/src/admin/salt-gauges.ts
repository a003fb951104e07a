/** The measures of a salt node for Prometheus. node/README.md, "Metrics". */
import type { Gauges } from './metrics.ts'
import { missingParts, type NodeStatus } from './node-status.ts'

export const SALT_GAUGES: Gauges<NodeStatus> = {
  geotrace_healthy: ['1 while the node serves, otherwise 0', ({ health }) => (health === 'serving' ? 1 : 0)],
  geotrace_uptime_seconds: ['Seconds since the start', ({ uptimeMs }) => uptimeMs / 1000],
  geotrace_roster_height: ['Height of the newest certified roster', ({ roster }) => roster?.height],
  geotrace_roster_period_end_seconds: [
    'Unix time at which the period of the newest roster ends',
    ({ roster }) => roster && roster.untilMs / 1000,
  ],
  geotrace_shards: ['Shards that the roster assigns to this node', ({ shards }) => shards.length],
  geotrace_seeds_held: [
    'Shards of this node whose seed it holds',
    ({ shards }) => shards.filter(({ held }) => held).length,
  ],
  geotrace_next_period_parts: [
    'Parts of this node in the next period, while the operators agree on its roster',
    ({ nextPeriod }) => nextPeriod?.parts,
  ],
  geotrace_next_period_parts_missing: [
    'Parts of the next period that this node lacks',
    ({ nextPeriod }) => nextPeriod && missingParts(nextPeriod),
  ],
  geotrace_next_period_needed_seconds: [
    'Unix time at which the parts of the next period are needed',
    ({ nextPeriod }) => nextPeriod && nextPeriod.neededMs / 1000,
  ],
  geotrace_peers_asked: ['Peers asked in the last round', ({ reach }) => reach?.asked],
  geotrace_peers_answered: ['Peers that answered in the last round', ({ reach }) => reach?.answered],
  geotrace_clock_offset_seconds: [
    'Our clock minus the median of the peers',
    ({ clockOffsetMs }) => clockOffsetMs / 1000,
  ],
  geotrace_connections: ['Open inbound connections', ({ network }) => network.connections],
  geotrace_connections_max: ['Limit of open inbound connections', ({ connectionsMax }) => connectionsMax],
  geotrace_sockets_waiting: [
    'Waiting sockets: silent ones, and reconnections during backoff',
    ({ network }) => network.waiting,
  ],
  geotrace_requests_in_flight: ['Requests in progress', ({ network }) => network.inFlight],
  geotrace_quota_entries: [
    'Entries in the quota table, one for each requester or network and shard',
    ({ quotaEntries }) => quotaEntries,
  ],
  geotrace_salting_weak: ['1 under plain salting, otherwise 0', ({ salting }) => (salting.kind === 'plain' ? 1 : 0)],
  geotrace_evaluations_most: [
    'The most evaluations of one shard and open epoch since the start, rounded up',
    ({ salting, evaluations }) => (salting.kind === 'plain' ? undefined : (evaluations[0]?.atMost ?? 0)),
  ],
  geotrace_evaluations_max: [
    'Evaluations that this node makes for one shard and epoch',
    ({ salting, evaluationsMax }) => (salting.kind === 'plain' ? undefined : evaluationsMax),
  ],
  geotrace_memory_max_bytes: ['Resident memory above which the node stops', ({ memoryMaxBytes }) => memoryMaxBytes],
}
