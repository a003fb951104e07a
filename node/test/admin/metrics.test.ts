import { describe, expect, it } from 'vitest'
import { metrics } from '../../src/admin/metrics.ts'
import type { NodeStatus } from '../../src/admin/node-status.ts'
import { SALT_GAUGES } from '../../src/admin/salt-gauges.ts'

describe('the metrics', () => {
  it('the metrics show the newest status at each scrape and count nothing twice', async () => {
    let answered = 5
    const status = (): NodeStatus =>
      ({
        version: '1.2.3',
        health: 'seeds-missing',
        uptimeMs: 1_500,
        roster: undefined,
        shards: [
          { shard: 0, held: true },
          { shard: 1, held: false },
        ],
        nextPeriod: {
          neededMs: 1_795_000_000_000,
          parts: 10,
          missing: [
            { shard: 1, parts: 2 },
            { shard: 4, parts: 1 },
          ],
        },
        reach: undefined,
        clockOffsetMs: -250,
        quotaEntries: 4,
        salting: { kind: 'threshold', threshold: 3, replicas: 5, devicesPerAddress: 16 },
        evaluations: [{ shard: 3, fromMs: 0, atMost: 1_500 }],
        evaluationsMax: 1_000_000,
        network: {
          connections: 2,
          waiting: 7,
          inFlight: 1,
          protocols: { '/geotrace/salt/1': { answered, refused: { QUOTA_SPENT: 3 }, bytes: 900 } },
        },
        connectionsMax: 500,
        memoryMaxBytes: 1_024,
      }) as unknown as NodeStatus
    const scraped = metrics(SALT_GAUGES, status)
    await scraped.answer()
    answered = 6
    const { status: code, type, body } = await scraped.answer()
    expect(code).toBe(200)
    expect(type).toContain('text/plain')
    for (const line of [
      'geotrace_healthy 0',
      'geotrace_uptime_seconds 1.5',
      'geotrace_shards 2',
      'geotrace_seeds_held 1',
      'geotrace_next_period_parts 10',
      'geotrace_next_period_parts_missing 3',
      'geotrace_next_period_needed_seconds 1795000000',
      'geotrace_clock_offset_seconds -0.25',
      'geotrace_connections 2',
      'geotrace_sockets_waiting 7',
      'geotrace_requests_in_flight 1',
      'geotrace_quota_entries 4',
      'geotrace_memory_max_bytes 1024',
      'geotrace_salting_weak 0',
      'geotrace_evaluations_most 1500',
      'geotrace_evaluations_max 1000000',
      'geotrace_build_info{version="1.2.3"} 1',
      'geotrace_requests_total{protocol="/geotrace/salt/1"} 6',
      'geotrace_refusals_total{protocol="/geotrace/salt/1",code="QUOTA_SPENT"} 3',
      'geotrace_frame_bytes_total{protocol="/geotrace/salt/1"} 900',
    ]) {
      expect(body).toContain(`\n${line}\n`)
    }
    // An unknown value is absent instead of zero.
    expect(body).not.toMatch(/^geotrace_(roster_height|peers_answered)\b/m)
    expect(body).toMatch(/^nodejs_eventloop_lag_seconds /m)
    scraped.stop()
  })
})
