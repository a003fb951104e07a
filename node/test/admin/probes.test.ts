import { request as httpRequest } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import type { Health } from '../../src/admin/node-status.ts'
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
  it('the health probe answers 200 for a serving node and 503 for any other state, with the state and the federation in its body', async () => {
    let health: Health = 'joining'
    const port = await serve(() => healthAnswer({ health }, '0123456789abcdef', 'plain, WEAK'))
    for (const other of [
      'joining',
      'waiting',
      'draining',
      'forked',
      'leaving',
      'stopped',
      'seeds-missing',
      'clock-skewed',
      'roster-ended',
      'disk-full',
      'strayed',
    ] as const) {
      health = other
      expect(await ask(port, '/healthz')).toEqual({
        status: 503,
        text: `${other}\nfederation 0123456789abcdef\nsalting plain, WEAK\n`,
      })
    }
    health = 'serving'
    expect(await ask(port, '/healthz')).toEqual({
      status: 200,
      text: 'serving\nfederation 0123456789abcdef\nsalting plain, WEAK\n',
    })
  })

  it('the health probe names the parts of the next period that a node lacks, and stays at 200, because a restart loses more', async () => {
    const nextPeriod = { neededMs: Date.UTC(2026, 10, 21, 12), parts: 10, missing: [{ shard: 4, parts: 2 }] }
    const port = await serve(() => healthAnswer({ health: 'serving', nextPeriod }, '0123456789abcdef', 'plain, WEAK'))
    const text =
      'serving\nfederation 0123456789abcdef\nsalting plain, WEAK\nnext period lacks 2 of 10 parts, needed from 2026-11-21T12:00:00.000Z\n'
    expect(await ask(port, '/healthz')).toEqual({ status: 200, text })
  })

  it('the health probe of a central peer that serves says how many reports are quarantined', async () => {
    const port = await serve(() =>
      healthAnswer({ health: 'serving', quarantined: 2 }, '0123456789abcdef', 'threshold, 3 of 5'),
    )
    const text = 'serving\nfederation 0123456789abcdef\nsalting threshold, 3 of 5\nquarantined 2\n'
    expect(await ask(port, '/healthz')).toEqual({ status: 200, text })
  })

  it('a probe answers only GET and HEAD of its path under a name of this machine, and stays up when the probe fails', async () => {
    let fails = false
    const port = await serve(() => {
      if (fails) throw new Error('the probe fails')
      return { status: 200, type: 'text/plain', body: 'x' }
    })
    expect((await ask(port, '/healthz', `localhost:${port}`)).status).toBe(200)
    expect((await ask(port, '/healthz', 'evil.example')).status).toBe(403)
    expect((await ask(port, '/healthz', '127.0.0.1.evil.example')).status).toBe(403)
    expect((await ask(port, '/status')).status).toBe(404)
    expect((await ask(port, '/healthz?x')).status).toBe(404)
    expect((await ask(port, '/healthz', undefined, 'POST')).status).toBe(405)
    // Load balancers ask with HEAD.
    expect(await ask(port, '/healthz', undefined, 'HEAD')).toEqual({ status: 200, text: '' })
    fails = true
    expect((await ask(port, '/healthz')).status).toBeUndefined()
    fails = false
    expect((await ask(port, '/healthz')).status).toBe(200)
  })
})
