/**
 * The report as Prometheus metrics. README "Metrics". Every label has a fixed set of values (our protocols, our error
 * codes, our version), so no requester can make a series; no value says who, where or which block.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { NodeStatus } from './node-status.ts'
import type { ProbeAnswer } from './probes.ts'

export interface Metrics {
  answer(): Promise<ProbeAnswer>
  stop(): void
}

type Value = (report: NodeStatus) => number | undefined

const GAUGES: Readonly<Record<string, readonly [help: string, value: Value]>> = {
  geotrace_healthy: ['1 while the node serves', ({ health }) => (health === 'serving' ? 1 : 0)],
  geotrace_uptime_seconds: ['Since the start', ({ uptimeMs }) => uptimeMs / 1000],
  geotrace_roster_height: ['Of the newest certified roster', ({ roster }) => roster?.height],
  geotrace_roster_period_end_seconds: [
    'Unix time when its period ends',
    ({ roster }) => roster && roster.untilMs / 1000,
  ],
  geotrace_shards: ['Shards that the roster gives this node', ({ shards }) => shards.length],
  geotrace_seeds_held: [
    'Of these, shards whose seed is here',
    ({ shards }) => shards.filter(({ held }) => held).length,
  ],
  geotrace_peers_asked: ['Peers asked when they were last asked', ({ reach }) => reach?.asked],
  geotrace_peers_answered: ['Of these, peers that answered', ({ reach }) => reach?.answered],
  geotrace_clock_offset_seconds: [
    'Our clock minus the median of the peers',
    ({ clockOffsetMs }) => clockOffsetMs / 1000,
  ],
  geotrace_connections: ['Open inbound connections', ({ network }) => network.connections],
  geotrace_connections_max: ['Their cap', ({ connectionsMax }) => connectionsMax],
  geotrace_sockets_waiting: ['Sockets at the login: silent, or back too soon', ({ network }) => network.waiting],
  geotrace_requests_in_flight: ['Requests being answered', ({ network }) => network.inFlight],
  geotrace_quota_requesters: ['Requesters remembered for their quota', ({ requesters }) => requesters],
  geotrace_memory_max_bytes: ['Beyond this resident memory the node stops', ({ memoryMaxBytes }) => memoryMaxBytes],
}

/** `report` is called once a scrape. */
export function metrics(report: () => NodeStatus): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const gauges = Object.entries(GAUGES).map(([name, [help, value]]) => ({
    gauge: new Gauge({ name, help, registers }),
    value,
  }))
  const info = new Gauge({ name: 'geotrace_build_info', help: '1', labelNames: ['version'], registers })
  const requests = counter('geotrace_requests_total', 'Requests answered', ['protocol'])
  const refusals = counter('geotrace_refusals_total', 'Requests turned away', ['protocol', 'code'])
  const bytes = counter('geotrace_frame_bytes_total', 'Frames of both directions, without the transport', ['protocol'])

  function counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
    return new Counter({ name, help, labelNames, registers })
  }

  const fill = (now: NodeStatus): void => {
    for (const { gauge, value } of gauges) {
      const known = value(now)
      // A series that is absent cannot be taken for a zero.
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
      fill(report())
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    },
    stop: () => registry.clear(),
  }
}
