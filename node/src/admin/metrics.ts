/**
 * The status of a node as Prometheus metrics. node/README.md, "Metrics". Every label has a fixed set of values (protocols,
 * error codes, the version), so a requester cannot create a series. No value names a requester, a place or a block.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { missingParts, type NodeStatus } from './node-status.ts'
import type { ProbeAnswer } from './probes.ts'

interface Metrics {
  answer(): Promise<ProbeAnswer>
  stop(): void
}

type Value = (status: NodeStatus) => number | undefined

const GAUGES: Readonly<Record<string, readonly [help: string, value: Value]>> = {
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
  geotrace_quota_requesters: ['Requesters whose quota use is in memory', ({ requesters }) => requesters],
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

/** Calls `status` once a scrape. */
export function metrics(status: () => NodeStatus): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const gauges = Object.entries(GAUGES).map(([name, [help, value]]) => ({
    gauge: new Gauge({ name, help, registers }),
    value,
  }))
  const info = new Gauge({
    name: 'geotrace_build_info',
    help: 'Always 1; the label names the version',
    labelNames: ['version'],
    registers,
  })
  const requests = counter('geotrace_requests_total', 'Requests answered', ['protocol'])
  const refusals = counter('geotrace_refusals_total', 'Requests refused', ['protocol', 'code'])
  const bytes = counter('geotrace_frame_bytes_total', 'Bytes of frames in both directions, without the transport', [
    'protocol',
  ])

  function counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers })
  }

  const fill = (now: NodeStatus): void => {
    for (const { gauge, value } of gauges) {
      const known = value(now)
      // An unknown value is left out, because a scraper would read a zero as a measurement.
      if (known === undefined) gauge.remove()
      else gauge.set(known)
    }
    info.set({ version: now.version }, 1)
    for (const item of [requests, refusals, bytes]) item.reset()
    for (const [protocol, stats] of Object.entries(now.network.protocols)) {
      requests.inc({ protocol }, stats.answered)
      bytes.inc({ protocol }, stats.bytes)
      for (const [code, count] of Object.entries(stats.refused)) refusals.inc({ protocol, code }, count)
    }
  }
  return {
    async answer() {
      fill(status())
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    },
    stop: () => registry.clear(),
  }
}
