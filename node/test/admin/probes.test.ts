import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { metrics } from '../../src/admin/metrics.ts'
import type { Health, NodeStatus } from '../../src/admin/node-status.ts'
import { healthAnswer, probeServer } from '../../src/admin/probes.ts'
import type { LocalHttp } from '../../src/local/local-http.ts'
import { silent } from '../../src/platform/log.ts'

const open: LocalHttp[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.stop()
})
async function serve(probe: Parameters<typeof probeServer>[2]): Promise<number> {
  const server = await probeServer(0, '/healthz', probe, silent)
  open.push(server)
  return server.port
}
const ask = (port: number, path: string, host = `127.0.0.1:${port}`, method = 'GET') =>
  new Promise<{ status: number | undefined; text: string }>((resolve) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method, agent: false, headers: { host } })
    request.once('error', () => resolve({ status: undefined, text: '' }))
    request.once('response', (response) => {
      let text = ''
      response.on('data', (chunk) => (text += chunk)).once('end', () => resolve({ status: response.statusCode, text }))
    })
    request.end()
  })

describe('a probe', () => {
  it('is 200 for a node that serves and 503 for any other, with one word', async () => {
    let health: Health = 'joining'
    const port = await serve(() => healthAnswer({ health }))
    for (const other of ['joining', 'leaving', 'stopped', 'seeds-missing', 'clock-skewed', 'roster-ended'] as const) {
      health = other
      expect(await ask(port, '/healthz')).toEqual({ status: 503, text: `${other}\n` })
    }
    health = 'serving'
    expect(await ask(port, '/healthz')).toEqual({ status: 200, text: 'serving\n' })
  })

  it('answers GET of its one path under the names of this machine, and stays up when the probe fails', async () => {
    let fails = false
    const port = await serve(() => {
      if (fails) throw new Error('inside')
      return { status: 200, type: 'text/plain', body: 'x' }
    })
    expect((await ask(port, '/healthz', `localhost:${port}`)).status).toBe(200)
    expect((await ask(port, '/healthz', 'evil.example')).status).toBe(403)
    expect((await ask(port, '/healthz', '127.0.0.1.evil.example')).status).toBe(403)
    expect((await ask(port, '/status')).status).toBe(404)
    expect((await ask(port, '/healthz?x')).status).toBe(404)
    expect((await ask(port, '/healthz', undefined, 'POST')).status).toBe(405)
    fails = true
    expect((await ask(port, '/healthz')).status).toBeUndefined()
    fails = false
    expect((await ask(port, '/healthz')).status).toBe(200)
  })
})

describe('the metrics', () => {
  it('follow the report from scrape to scrape, and do not count twice', async () => {
    let answered = 5
    const report = (): NodeStatus =>
      ({
        version: '1.2.3',
        health: 'seeds-missing',
        uptimeMs: 1_500,
        roster: undefined,
        shards: [
          { shard: 0, held: true },
          { shard: 1, held: false },
        ],
        reach: undefined,
        clockOffsetMs: -250,
        requesters: 4,
        network: {
          connections: 2,
          waiting: 7,
          inFlight: 1,
          protocols: { '/geotrace/salt/1': { answered, refused: { QUOTA_SPENT: 3 }, bytes: 900 } },
        },
        connectionsMax: 500,
        memoryMaxBytes: 1_024,
      }) as unknown as NodeStatus
    const scraped = metrics(report)
    await scraped.answer()
    answered = 6
    const { status, type, body } = await scraped.answer()
    expect(status).toBe(200)
    expect(type).toContain('text/plain')
    for (const line of [
      'geotrace_healthy 0',
      'geotrace_uptime_seconds 1.5',
      'geotrace_shards 2',
      'geotrace_seeds_held 1',
      'geotrace_clock_offset_seconds -0.25',
      'geotrace_connections 2',
      'geotrace_sockets_waiting 7',
      'geotrace_requests_in_flight 1',
      'geotrace_quota_requesters 4',
      'geotrace_memory_max_bytes 1024',
      'geotrace_build_info{version="1.2.3"} 1',
      'geotrace_requests_total{protocol="/geotrace/salt/1"} 6',
      'geotrace_refusals_total{protocol="/geotrace/salt/1",code="QUOTA_SPENT"} 3',
      'geotrace_frame_bytes_total{protocol="/geotrace/salt/1"} 900',
    ]) {
      expect(body).toContain(`\n${line}\n`)
    }
    // What is not known is absent, not zero.
    expect(body).not.toMatch(/^geotrace_(roster_height|peers_answered)\b/m)
    expect(body).toMatch(/^nodejs_eventloop_lag_seconds /m)
    scraped.stop()
  })
})
