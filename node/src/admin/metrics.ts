/**
 * The status of a peer as Prometheus metrics. node/README.md, "Metrics". Every label has a fixed set of values (protocols,
 * error codes, the version), so a requester cannot create a series. No value names a requester, a place or a block.
 */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { HostStats } from '../net/protocol.ts'
import type { ProbeAnswer } from './probes.ts'

interface Metrics {
  answer(): Promise<ProbeAnswer>
  stop(): void
}
interface Measured {
  readonly version: string
  readonly network?: HostStats
}
/** By name. An unknown value is left out, because a scraper would read a zero as a measurement. */
export type Gauges<S> = Readonly<Record<string, readonly [help: string, value: (status: S) => number | undefined]>>

/** Calls `status` once a scrape. */
export function metrics<S extends Measured>(gaugesOf: Gauges<S>, status: () => S | Promise<S>): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const gauges = Object.entries(gaugesOf).map(([name, [help, value]]) => ({
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

  const fill = (now: S): void => {
    for (const { gauge, value } of gauges) {
      const known = value(now)
      if (known === undefined) gauge.remove()
      else gauge.set(known)
    }
    info.set({ version: now.version }, 1)
    for (const item of [requests, refusals, bytes]) item.reset()
    for (const [protocol, stats] of Object.entries(now.network?.protocols ?? {})) {
      requests.inc({ protocol }, stats.answered)
      bytes.inc({ protocol }, stats.bytes)
      for (const [code, count] of Object.entries(stats.refused)) refusals.inc({ protocol, code }, count)
    }
  }
  return {
    async answer() {
      fill(await status())
      return { status: 200, type: registry.contentType, body: await registry.metrics() }
    },
    stop: () => registry.clear(),
  }
}
