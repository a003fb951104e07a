import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadCore } from '@geotrace/core-wasm'
import { cellToCenterChild, cellToChildren, cellToLatLng, gridDistance } from 'h3-js'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { adminRequest } from '../../src/admin/client.ts'
import { history, SPAN_MS, SPANS_MAX, wholeDay } from '../../src/admin/history.ts'
import type { NodeStatus } from '../../src/admin/node-status.ts'
import { pageContent } from '../../src/admin/page/content.ts'
import { FIRST_REGION, REGIONS, regionToPoint, shardsToPath } from '../../src/admin/page/regions.ts'
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
    expect(text).toContain('&#60;img src=x onerror=&#34;alert(1)&#34;&#62; &#38; Söhne')
    expect(text).toContain('The &#60;b&#62;clock&#60;/b&#62; is off.')
    expect(text).toContain('Run <code>geotrace doctor</code>.')
    // The policy forbids both.
    expect(text).not.toMatch(/\sstyle=|\son\w+="/)
  })

  it('says what is held, what is missing, and why requests were turned away, most first', () => {
    const text = pageContent(REPORT)
    expect(text).toContain('held here: 1')
    expect(text).toContain('seed missing: 4')
    expect(text.indexOf('asked for a shard that is not ours')).toBeGreaterThan(0)
    expect(text.indexOf('asked for a shard that is not ours')).toBeLessThan(
      text.indexOf('asked for more than its share'),
    )
    expect(text).toMatch(/aria-label="Salt requests of the last 24 hours: 12 345 answered, 42 turned away"/)
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

describe('the regions on the page', () => {
  const cells = cellToChildren('811fbffffffffff', 4)

  it('are those of that piece of Europe, in the order of their numbers', async () => {
    const core = await loadCore()
    expect(cells).toHaveLength(REGIONS)
    cells.forEach((cell, i) => {
      expect(core.cellToRegion(BigInt(`0x${cellToCenterChild(cell, 12)}`))).toBe(FIRST_REGION + i)
    })
  })

  it('lie beside each other where h3-js says they do, and nowhere else', () => {
    const points = cells.map((_, i) => regionToPoint(i))
    let neighbours = 0
    for (let i = 0; i < REGIONS; i++) {
      for (let j = 0; j < i; j++) {
        const distance = Math.hypot(points[i]![0] - points[j]![0], points[i]![1] - points[j]![1])
        const isNeighbour = gridDistance(cells[i]!, cells[j]!) === 1
        if (isNeighbour) neighbours++
        expect(Math.abs(distance - 1) < 1e-9).toBe(isNeighbour)
      }
    }
    expect(neighbours).toBe(948)
  })

  it('are drawn north up', () => {
    const byNorth = (value: (i: number) => number) => cells.map((_, i) => i).sort((a, b) => value(a) - value(b))
    const place = (i: number) => cellToLatLng(cells[i]!)
    for (const axis of [0, 1] as const) {
      const onEarth = byNorth((i) => place(i)[axis])
      const drawn = byNorth((i) => regionToPoint(i)[axis === 0 ? 1 : 0])
      // The outermost tenth of one lies in the outermost quarter of the other: turned, not mirrored.
      const edge = new Set(drawn.slice(-86))
      expect(onEarth.slice(-34).filter((i) => edge.has(i))).toHaveLength(34)
    }
  })

  it('are each drawn once, whichever shards are chosen', () => {
    for (const shardCount of [1, 5, 64, 4_096]) {
      const all = Array.from({ length: shardCount }, (_, shard) => shard)
      const [some, others] = [
        new Set(all.filter((shard) => shard % 3 === 0)),
        new Set(all.filter((shard) => shard % 3 !== 0)),
      ]
      const count = (shards: ReadonlySet<number>) => shardsToPath(shards, shardCount, 22).split('M').length - 1
      expect(count(some) + count(others)).toBe(REGIONS)
    }
    expect(shardsToPath(new Set([0]), 4_096, 22)).toBe('')
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
