import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { simulatedClock } from '@geotrace/core-wasm'
import { isFederationError } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { judgeRoster } from '../../src/cli/doctor/examine.ts'
import { judgeDisk, judgeLimits } from '../../src/cli/doctor/machine.ts'
import { judgeClock, judgePeers, offsetsToMedian } from '../../src/cli/doctor/network.ts'
import { addressesToListen, addressToSocket, hostToAddresses } from '../../src/cli/identity/addresses.ts'
import { assertPrivate, exposureOf } from '../../src/cli/identity/file-rights.ts'
import { assertPortsFree, portAdvice } from '../../src/cli/identity/ports.ts'
import { geotrace } from '../../src/cli/main.ts'
import { allowance } from '../../src/cli/process/allowance.ts'
import { memoryGuard } from '../../src/cli/process/memory-guard.ts'
import { optionsToListen } from '../../src/cli/process/run-options.ts'
import { nodeStatus } from '../../src/cli/salt/health.ts'
import { terminal } from '../../src/cli/terminal/output.ts'
import { silent } from '../../src/platform/log.ts'
import type { SaltNodeStatus } from '../../src/salt/node.ts'

describe('where a node listens', () => {
  it('is every interface for a public address, since a router has that one', () => {
    const ports = { tcp: 4101, ws: 4201 }
    const everywhere = ['/ip4/0.0.0.0/tcp/4101', '/ip6/::/tcp/4101', '/ip4/0.0.0.0/tcp/4201/ws', '/ip6/::/tcp/4201/ws']
    for (const host of ['203.0.113.7', 'salt.example.org', '2001:db8::7']) {
      expect(addressesToListen(hostToAddresses(host, ports))).toEqual(everywhere)
    }
    expect(addressesToListen(hostToAddresses('203.0.113.7', ports), { tcp: 4111 }).slice(0, 2)).toEqual([
      '/ip4/0.0.0.0/tcp/4111',
      '/ip6/::/tcp/4111',
    ])
  })

  it('stays on the loopback for a trial, and leaves other forms alone', () => {
    const trial = [
      '/ip4/127.0.0.1/tcp/4101',
      '/ip4/127.3.0.9/tcp/4201/ws',
      '/ip6/::1/tcp/4101',
      '/dns4/localhost/tcp/1',
    ]
    expect(addressesToListen(trial)).toEqual(trial)
    expect(addressesToListen(trial, { tcp: 9, ws: 8 })).toEqual([
      '/ip4/127.0.0.1/tcp/9',
      '/ip4/127.3.0.9/tcp/8/ws',
      '/ip6/::1/tcp/9',
      '/dns4/localhost/tcp/9',
    ])
    expect(addressesToListen(['/dns4/salt.example.org/tcp/443/tls/sni/x/ws'])).toEqual([
      '/dns4/salt.example.org/tcp/443/tls/sni/x/ws',
    ])
  })

  it('is one port for both secure doors, and only with a certificate', () => {
    const secure = hostToAddresses('salt.example.org', { tcp: 4101, ws: 4201, tls: 443 })
    expect(secure.slice(2)).toEqual(['/dns/salt.example.org/tcp/443/tls/ws', '/dns/salt.example.org/tcp/443/tls/http'])
    const files = { cert: 'fullchain.pem', key: 'privkey.pem' }
    const both = ['/ip4/0.0.0.0/tcp/443/tls/ws', '/ip6/::/tcp/443/tls/ws']
    expect(optionsToListen(files, secure).slice(4)).toEqual(both)
    expect(optionsToListen({ ...files, httpsPort: 8443 }, secure).slice(4)).toEqual(
      both.map((address) => address.replace('443', '8443')),
    )
    const plain = hostToAddresses('203.0.113.7', { tcp: 4101, ws: 4201 })
    expect(optionsToListen({ ...files, httpsPort: 443 }, plain).slice(4)).toEqual(both)
    expect(optionsToListen({ ...files, httpsPort: 443 }, ['/ip4/127.3.0.9/tcp/1'])).toEqual([
      '/ip4/127.3.0.9/tcp/1',
      '/ip4/127.3.0.9/tcp/443/tls/ws',
    ])
    expect(() => optionsToListen({}, secure)).toThrow(/--cert FILE and --key FILE/)
    expect(() => optionsToListen({ httpsPort: 443 }, plain)).toThrow(/--cert FILE/)
    expect(() => optionsToListen(files, plain)).toThrow(/--https-port/)
    expect(() => optionsToListen({ cert: 'fullchain.pem' }, secure)).toThrow(/go together/)
    expect(() => optionsToListen({ ...files, httpsPort: 443, listen: both }, [])).toThrow(/leave/)
  })

  it('is exactly what --listen says, which then names the ports', () => {
    const listen = ['/ip4/0.0.0.0/tcp/1']
    expect(optionsToListen({ listen }, ['/ip4/127.0.0.1/tcp/2'])).toBe(listen)
    expect(() => optionsToListen({ listen, port: 3 }, [])).toThrow(/--port/)
    expect(addressToSocket('/ip6/::/tcp/4101/ws')).toEqual({ host: '::', port: 4101 })
    expect(addressToSocket('/unix/a')).toBeUndefined()
  })

  it('is told apart by what hinders it', () => {
    expect(portAdvice(4201, 'EADDRINUSE', 'geotrace salt run')).toMatch(/--ws-port 4211[\s\S]*forward it to 4211/)
    expect(portAdvice(80, 'EACCES', 'geotrace salt run')).toMatch(/above 1023/)
    expect(portAdvice(4101, 'EADDRNOTAVAIL', 'geotrace salt run')).toMatch(/--listen \/ip4\/0\.0\.0\.0/)
  })
})

describe('before a node starts', () => {
  it('a port that another program has is PORT_TAKEN, a free one is not', async () => {
    const stranger = createServer()
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
    const { port } = stranger.address() as { port: number }
    const listen = [`/ip4/127.0.0.1/tcp/${port}/ws`]
    await expect(assertPortsFree(listen, 'geotrace salt run')).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      data: { port },
    })
    await new Promise((resolve) => stranger.close(resolve))
    await assertPortsFree(listen, 'geotrace salt run')
  })

  it('a directory or file that others may use is FILE_EXPOSED, one that is not there is not', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'geotrace-rights-'))
    for (const mode of [0o701, 0o710, 0o770, 0o704]) {
      await chmod(dir, mode)
      expect(exposureOf(dir)).toEqual({ path: dir, mode, mend: `chmod 700 '${dir}'` })
    }
    expect(() => assertPrivate(dir)).toThrow(expect.objectContaining({ code: 'FILE_EXPOSED', data: { path: dir } }))
    await chmod(dir, 0o700)
    assertPrivate(dir)
    assertPrivate(join(dir, 'nothing'))
    await rm(dir, { recursive: true })
  })
})

describe('the memory guard', () => {
  it('sheds near the cap, recovers below it, and stops only when it stays beyond', async () => {
    const clock = simulatedClock(0)
    let rss = 100
    let stops = 0
    const guard = memoryGuard({
      maxBytes: 200,
      shedBytes: 180,
      rss: () => rss,
      clock,
      log: silent,
      stop: () => stops++,
    })
    const pass = (bytes: number) => {
      rss = bytes
      return clock.advanceTo(clock.now() + 2_000)
    }
    await pass(180)
    expect(guard.isShedding).toBe(false)
    await pass(181)
    expect(guard.isShedding).toBe(true)
    await pass(201)
    await pass(201)
    await pass(200)
    expect(stops).toBe(0)
    await pass(100)
    expect(guard.isShedding).toBe(false)
    for (let i = 0; i < 2; i++) await pass(300)
    expect(stops).toBe(0)
    await pass(300)
    expect(stops).toBe(1)
    await pass(300)
    expect(stops).toBe(1)
  })
})

describe('the traffic cap', () => {
  it('lets a day’s bytes through at once, then as many as flow back', () => {
    const traffic = allowance(86_400, 0)
    const refused = (spent: number, nowMs: number) => {
      try {
        traffic.assert(spent, nowMs)
        return false
      } catch (error) {
        return isFederationError(error, 'BUSY')
      }
    }
    expect(refused(86_399, 0)).toBe(false)
    expect(refused(86_400, 0)).toBe(true)
    // A byte a second.
    expect(refused(86_400, 2_000)).toBe(false)
    expect(refused(86_402, 2_000)).toBe(true)
    // A clock that steps back gives nothing, and a year holds no more than a day.
    expect(refused(86_402, 0)).toBe(true)
    expect(refused(86_402, 365 * 86_400_000)).toBe(false)
    expect(refused(86_402 + 86_400, 365 * 86_400_000)).toBe(true)
  })
})

const HASH = 'a'.repeat(64)
const NOW = Date.UTC(2026, 10, 21, 12)
const HOUR = 3_600_000
const status = (more: Partial<SaltNodeStatus> = {}): SaltNodeStatus => ({
  state: 'serving',
  peerId: '12D3KooWBahSyktDiiXsqx5ea9geaF9vF82oGMHujAVrG1oBQm12',
  startedMs: NOW - HOUR,
  roster: {
    height: 3,
    name: '0123456789abcdef',
    fromMs: NOW - HOUR,
    untilMs: NOW + HOUR,
    reserveUntilMs: NOW + 2 * HOUR,
    core: { simd: HASH, scalar: 'b'.repeat(64) },
    shards: 5,
  },
  core: HASH,
  shards: [{ firstEpoch: 0, shard: 1, held: true }],
  membership: undefined,
  clockOffsetMs: 0,
  reach: { asked: 4, answered: 4, atMs: NOW },
  network: { connections: 1, waiting: 0, inFlight: 0, protocols: {} },
  answered: 1_000,
  refused: {},
  requesters: 0,
  ...more,
})
const report = (
  more: Partial<SaltNodeStatus> = {},
  rest: { memoryBytes?: number; abstainsUntilMs?: number; nowMs?: number } = {},
) =>
  nodeStatus({
    status: status(more),
    version: '1.2.3',
    node: 'anna',
    federation: 'test',
    nowMs: NOW,
    connectionsMax: 500,
    memoryBytes: 100,
    memoryMaxBytes: 200,
    abstainsUntilMs: undefined,
    hasVote: true,
    history: [],
    ...rest,
  })
const words = (made: ReturnType<typeof report>) => made.hints.map(({ level, what }) => `${level}: ${what}`)

describe('a report', () => {
  it('is quiet about a node that is well', () => {
    expect(report()).toMatchObject({
      health: 'serving',
      hints: [],
      votes: true,
      core: { pinned: true },
      uptimeMs: HOUR,
    })
  })

  it('has one word for a probe, and only one is healthy', () => {
    const roster = status().roster!
    expect(report({ state: 'joining' }).health).toBe('joining')
    expect(report({ state: 'leaving' }).health).toBe('leaving')
    expect(report({ clockOffsetMs: -30_001 }).health).toBe('clock-skewed')
    expect(report({ clockOffsetMs: 30_000 }).health).toBe('serving')
    expect(report({ shards: [{ firstEpoch: 0, shard: 1, held: false }] }).health).toBe('seeds-missing')
    expect(report({ roster: { ...roster, reserveUntilMs: NOW } }).health).toBe('roster-ended')
  })

  it('says what is not well, and each time what to do', () => {
    const roster = status().roster!
    const cases: [ReturnType<typeof report>, RegExp][] = [
      [report({ clockOffsetMs: 41_000 }), /^fail: the clock is 41 s off/],
      [report({ clockOffsetMs: -6_000 }), /^warn: the clock is 6 s off/],
      [
        report({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 0, atMs: NOW } }),
        /no other peer answers/,
      ],
      [
        report({ state: 'joining', roster: undefined, reach: { asked: 3, answered: 1, atMs: NOW } }),
        /1 of 3 peers answer/,
      ],
      [report({ reach: { asked: 5, answered: 2, atMs: NOW } }), /only 2 of 5/],
      [report({ shards: [{ firstEpoch: 0, shard: 4, held: false }] }), /seeds of shard 4 are missing/],
      [report({ roster: { ...roster, untilMs: NOW } }), /stands on its reserve until 2026-11-21 14:00 UTC/],
      [report({ roster: { ...roster, untilMs: NOW, reserveUntilMs: NOW } }), /^fail: roster 3 has run out/],
      [report({ core: 'c'.repeat(64) }), /pins another build/],
      [report({}, { memoryBytes: 181 }), /salt requests are shed/],
      [report({}, { abstainsUntilMs: NOW + HOUR }), /gives no vote before 2026-11-21 13:00 UTC/],
      [report({ refused: { BUSY: 11 } }), /11 requests were turned away/],
      [
        report({ network: { connections: 1, waiting: 100, inFlight: 0, protocols: {} } }),
        /100 sockets wait at the door/,
      ],
    ]
    for (const [made, expected] of cases) {
      expect(words(made)).toEqual([expect.stringMatching(expected)])
      expect(made.hints[0]!.next.length).toBeGreaterThan(20)
    }
    // A founding takes some seconds, and a few BUSY among thousands are nothing.
    expect(words(report({ state: 'joining', roster: undefined, reach: undefined, startedMs: NOW - 29_000 }))).toEqual(
      [],
    )
    expect(words(report({ refused: { BUSY: 10 } }))).toEqual([])
  })

  it('says that a node without its operator’s key, or one that abstains, does not vote', () => {
    expect(report({}, { abstainsUntilMs: NOW + 1 }).votes).toBe(false)
  })
})

describe('the doctor judges', () => {
  it('disk, limits, peers, clock and roster, each at its edge', () => {
    const MIB = 1 << 20
    expect([500 * MIB, 500 * MIB - 1, 50 * MIB, 50 * MIB - 1].map((free) => judgeDisk(free, '/x').severity)).toEqual([
      'ok',
      'warn',
      'warn',
      'fail',
    ])
    const verdicts = (coreBytes: number | undefined, openFiles: number | undefined) =>
      judgeLimits({ coreBytes, openFiles }, 500).map(({ severity }) => severity)
    expect(verdicts(0, 756)).toEqual(['ok', 'ok'])
    expect(verdicts(undefined, 755)).toEqual(['warn', 'warn'])
    expect(verdicts(1, undefined)).toEqual(['warn', 'ok'])
    expect(judgeLimits(undefined, 500).map(({ severity }) => severity)).toEqual(['warn'])
    const peers = (tried: number, silentPeers: string[]) => judgePeers({ tried, silent: silentPeers, offsets: [] })
    expect(peers(4, ['a', 'b']).severity).toBe('ok')
    expect(peers(4, ['a', 'b', 'c'])).toMatchObject({ severity: 'warn', what: '1 of 4 peers answer; silent: a, b, c' })
    expect(peers(2, ['a', 'b']).severity).toBe('fail')
    expect([999, 5_000, 5_001, -30_000, -30_001, undefined].map((off) => judgeClock(off).severity)).toEqual([
      'ok',
      'ok',
      'warn',
      'warn',
      'fail',
      'warn',
    ])
    // One peer alone cannot outvote us, two can.
    expect([[], [60_000], [60_000, 61_000]].map(offsetsToMedian)).toEqual([undefined, 0, 60_000])
    const roster = (more: object) => judgeRoster({ ...status().roster!, ...more }, NOW).severity
    expect([
      roster({}),
      roster({ fromMs: NOW + 1 }),
      roster({ untilMs: NOW }),
      roster({ untilMs: NOW, reserveUntilMs: NOW }),
    ]).toEqual(['ok', 'ok', 'warn', 'fail'])
    expect(judgeRoster(undefined, NOW).severity).toBe('warn')
  })
})

describe('every command', () => {
  it('has a description and, where it does something, an example that starts with its own name', async () => {
    const lacking: string[] = []
    const look = (command: Command, path: string): void => {
      if (command.description() === '') lacking.push(`${path}: description`)
      for (const child of command.commands) look(child, `${path} ${child.name()}`)
      if (command.commands.length > 0) return
      let help = ''
      command.configureOutput({ writeOut: (text) => (help += text) })
      command.outputHelp()
      if (!help.includes(`\n  ${path}`)) lacking.push(`${path}: example`)
    }
    look(await geotrace(terminal()), 'geotrace')
    expect(lacking).toEqual([])
  })
})
