import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { history, SPAN_MS, SPANS_MAX, wholeDay } from '../../src/admin/history.ts'
import type { NodeStatus } from '../../src/admin/node-status.ts'
import { pageContent } from '../../src/admin/page/content.ts'
import { pageLogin } from '../../src/admin/page-login.ts'
import { type AdminServer, adminServer } from '../../src/admin/server.ts'
import { silent } from '../../src/platform/log.ts'
import { systemRandom } from '../../src/platform/random.ts'

const NOW = Date.UTC(2026, 10, 21, 12, 7)
const REPORT: NodeStatus = {
  version: '1.2.3',
  node: 'anna',
  federation: '<img src=x onerror="alert(1)"> & Söhne',
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
  shardCount: 5,
  shards: [
    { shard: 1, held: true },
    { shard: 4, held: false },
  ],
  reach: { asked: 4, answered: 3, atMs: NOW - 60_000 },
  clockOffsetMs: -38,
  answered: 12_345,
  refused: { QUOTA_SPENT: 2, WRONG_SHARD: 40 },
  requesters: 9,
  network: { connections: 3, waiting: 0, inFlight: 0, protocols: {} },
  connectionsMax: 500,
  memoryBytes: 100 << 20,
  memoryMaxBytes: 512 << 20,
  core: { sha256: 'ab'.repeat(32), pinned: true },
  votes: true,
  history: [{ fromMs: Math.floor(NOW / SPAN_MS) * SPAN_MS, answered: 12_345, refused: 42 }],
}

describe('the login of the page', () => {
  it('opens once for each code, and only for codes it gave', () => {
    const login = pageLogin(systemRandom)
    const code = login.newCode()
    expect(login.enter('0'.repeat(32))).toBeUndefined()
    const session = login.enter(code)!
    expect(login.isSession(session)).toBe(true)
    expect(login.isSession(code)).toBe(false)
    expect(login.enter(code)).toBeUndefined()
  })

  it('remembers a few codes and sessions, the newest', () => {
    const login = pageLogin(systemRandom)
    const codes = Array.from({ length: 5 }, () => login.newCode())
    expect(login.enter(codes[0]!)).toBeUndefined()
    const first = login.enter(codes[1]!)!
    for (let i = 0; i < 15; i++) expect(login.enter(login.newCode())).toBeDefined()
    expect(login.isSession(first)).toBe(true)
    login.enter(login.newCode())
    expect(login.isSession(first)).toBe(false)
  })
})

describe('the page over the control server', () => {
  let dir: string
  let server: AdminServer
  let changes = 0
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
    const routes = { 'POST /change': () => void changes++, 'GET /status': () => ({ state: 'serving' }) }
    server = await adminServer({ dir, routes, page: () => pageContent(REPORT), random: systemRandom, log: silent })
  })
  afterEach(async () => {
    await server.stop()
    await rm(dir, { recursive: true })
  })
  const ask = (method: string, path: string, token?: string, body?: string) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      method,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(body === undefined ? {} : { body }),
    })
  const enter = async () => {
    const { code } = (await adminRequest(dir, 'POST', '/login')) as { code: string }
    const { session } = (await (await ask('POST', '/session', undefined, JSON.stringify(code))).json()) as {
      session: string
    }
    return { code, session }
  }

  it('shows a shell that says nothing about the node, and runs and styles itself with nothing else', async () => {
    const response = await ask('GET', '/')
    expect(response.status).toBe(200)
    const text = await response.text()
    expect(text).not.toMatch(/anna|12D3Koo|https?:|src=|url\(/)
    const policy = response.headers.get('content-security-policy')!
    expect(policy).toMatch(/^default-src 'none'; /)
    expect(policy).not.toMatch(/unsafe|\*|https?:/)
    for (const tag of ['style', 'script']) {
      const source = new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(text)![1]!
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(source).digest('base64')}'`)
    }
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('shows its content to a session, which can read and nothing else', async () => {
    const { code, session } = await enter()
    const page = await ask('GET', '/page', session)
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('12 345')
    expect((await ask('POST', '/change', session)).status).toBe(401)
    expect((await ask('GET', '/status', session)).status).toBe(401)
    expect((await ask('POST', '/login', session)).status).toBe(401)
    expect(changes).toBe(0)
    // The link is spent, and nothing but a session opens the content; not even the control token, which no browser has.
    expect((await ask('POST', '/session', undefined, JSON.stringify(code))).status).toBe(401)
    expect((await ask('GET', '/page')).status).toBe(401)
    const { token } = JSON.parse(await readFile(join(dir, 'admin.json'), 'utf8')) as { token: string }
    expect((await ask('GET', '/page', token)).status).toBe(401)
    for (const body of ['', '{', '[]', 'null', `"${'0'.repeat(70_000)}"`]) {
      expect((await ask('POST', '/session', undefined, body)).status).toBe(401)
    }
  })

  it('is not there without a page to draw', async () => {
    const other = await mkdtemp(join(tmpdir(), 'geotrace-page-'))
    const bare = await adminServer({ dir: other, routes: {}, random: systemRandom, log: silent })
    expect((await fetch(`http://127.0.0.1:${bare.port}/`)).status).toBe(401)
    await bare.stop()
    await rm(other, { recursive: true })
  })
})

describe('the content', () => {
  it('escapes what a federation calls itself, and what a hint says', () => {
    const text = pageContent(REPORT)
    expect(text).not.toContain('<img')
    expect(text).toContain('&lt;img src=x onerror=&quot;alert(1)&quot;> &amp; Söhne')
    expect(text).toContain('The &lt;b>clock&lt;/b> is off.')
    expect(text).toContain('Run <code>geotrace doctor</code>.')
    // The policy forbids both.
    expect(text).not.toMatch(/\sstyle=|\son\w+="/)
  })

  it('says what is held, what is missing, and why requests were turned away, most first', () => {
    const text = pageContent(REPORT)
    expect(text).toContain('held here: 1')
    expect(text).toContain('seed missing: 4')
    expect(text.indexOf('asked for a shard that this node does not hold')).toBeGreaterThan(0)
    expect(text.indexOf('asked for a shard that this node does not hold')).toBeLessThan(
      text.indexOf('asked for more than its quota'),
    )
    expect(text).toMatch(/aria-label="Salt requests of the last 24 hours: 12 345 answered, 42 refused"/)
  })

  it('has one heading, and a picture of every state', () => {
    for (const health of [
      'serving',
      'joining',
      'leaving',
      'stopped',
      'seeds-missing',
      'clock-skewed',
      'roster-ended',
    ] as const) {
      const bare = {
        ...REPORT,
        health,
        roster: undefined,
        shardCount: 0,
        shards: [],
        reach: undefined,
        history: [],
        hints: [],
      }
      for (const report of [{ ...REPORT, health }, bare]) {
        const text = pageContent(report)
        expect(text.match(/<h1/g)).toHaveLength(1)
        expect(text).not.toMatch(/undefined|NaN|\[object/)
      }
    }
  })
})

describe('the history', () => {
  it('counts what came since the last look into quarters of an hour, and keeps a day', () => {
    const day = history()
    const start = 1_000 * SPAN_MS
    day.note({ answered: 3, refused: 1 }, start)
    day.note({ answered: 5, refused: 1 }, start + SPAN_MS - 1)
    day.note({ answered: 6, refused: 4 }, start + SPAN_MS)
    // A clock that steps back goes on in the newest span.
    day.note({ answered: 7, refused: 4 }, start)
    expect(day.spans).toEqual([
      { fromMs: start, answered: 5, refused: 1 },
      { fromMs: start + SPAN_MS, answered: 2, refused: 3 },
    ])
    for (let i = 2; i < 200; i++) day.note({ answered: 7, refused: 4 }, start + i * SPAN_MS)
    expect(day.spans).toHaveLength(SPANS_MAX)
  })

  it('fills a day up with silence', () => {
    const nowMs = 500 * SPAN_MS + 5
    const whole = wholeDay([{ fromMs: 499 * SPAN_MS, answered: 4, refused: 0 }], nowMs)
    expect(whole).toHaveLength(SPANS_MAX)
    expect(whole.at(-1)).toEqual({ fromMs: 500 * SPAN_MS, answered: 0, refused: 0 })
    expect(whole.at(-2)!.answered).toBe(4)
    expect(whole[0]!.fromMs).toBe((500 - SPANS_MAX + 1) * SPAN_MS)
  })
})
