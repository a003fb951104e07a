import { describe, expect, it } from 'vitest'
import {
  judgeAccounts,
  judgeAudit,
  judgeBackup,
  judgeCentralDisk,
  judgeReports,
  judgeRetention,
  judgeRunningPeer,
  judgeRunningStore,
  judgeSeals,
  judgeServers,
  judgeStoppedStore,
  judgeStoreKeys,
} from '../../../src/cli/central/doctor-findings.ts'
import type { CentralFacts } from '../../../src/cli/central/facts.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 30, 12)
const TODAY = Math.floor(NOW / DAY_MS)
const MIB = 2 ** 20

const SERVING = {
  ...{ health: 'serving', standing: 'current', roster: 3, evidence: [], syncs: 12, inFlight: 1, version: '1.2.3' },
  ...{ held: [], quarantined: [], riskWaiting: 0, riskFailures: 0, users: 7, storeMib: 3 },
  days: [{ day: TODAY, rows: 40 }],
} as unknown as CentralFacts

const HAS_STORE = { state: 'store', days: [TODAY] } as const

describe('the findings of geotrace central doctor', () => {
  it.each([
    ['a roomy disk', judgeCentralDisk(4_000 * MIB, true, '/d'), 'ok', /4 000 MiB free/],
    ['a disk below 1 GiB', judgeCentralDisk(900 * MIB, true, '/d'), 'warn', /900 MiB/],
    ['a disk below 256 MiB', judgeCentralDisk(200 * MIB, false, '/d'), 'fail', /ballast for erasures is used up/],
    ['keys beside the store', judgeStoreKeys({ exists: true, isOneDisk: true, path: '/k' }, true), 'warn', /thief/],
    ['keys elsewhere', judgeStoreKeys({ exists: true, isOneDisk: false, path: '/k' }, true), 'ok', /another disk/],
    ['lost keys', judgeStoreKeys({ exists: false, isOneDisk: false, path: '/k' }, true), 'fail', /missing/],
    [
      'keys before the first start',
      judgeStoreKeys({ exists: false, isOneDisk: false, path: '/k' }, false),
      'ok',
      /made/,
    ],
    ['a lost store', judgeStoppedStore(false, true, ''), 'fail', /missing/],
    ['a store', judgeStoppedStore(true, true, ''), 'ok', /central verify/],
    ['a store before the first start', judgeStoppedStore(false, false, ''), 'ok', /first start/],
    ['a store that cannot be counted', judgeRunningStore({ ...SERVING, store: 'EIO' }), 'fail', /EIO/],
    ['servers with the store', judgeServers([HAS_STORE, HAS_STORE], true), 'ok', /2 database servers with the store/],
    [
      'a server without an answer',
      judgeServers([HAS_STORE, { state: 'silent', reason: 'login refused', days: [] }], true),
      'fail',
      /server 2 of 2 gives no answer: login refused/,
    ],
    ['an empty database of a founded peer', judgeServers([{ state: 'empty', days: [] }], true), 'fail', /no store/],
    ['an empty database', judgeServers([{ state: 'empty', days: [] }], false), 'ok', /first start/],
    ['an unfinished copy', judgeServers([{ state: 'copy', days: [] }], true), 'fail', /unfinished copy/],
    ['a counted store', judgeRunningStore(SERVING), 'ok', /7 users, 40 rows on 1 day, 3 MiB/],
    ['days within the period', judgeRetention([TODAY - 14, TODAY], 14, NOW), 'ok', /rows since 2026-11-16; .* 14 days/],
    ['a day that goes with the next sweep', judgeRetention([TODAY - 15, TODAY], 14, NOW), 'ok', /2026-11-15/],
    ['days that should be gone', judgeRetention([TODAY - 17, TODAY - 15], 14, NOW), 'fail', /2 days should be gone/],
    ['a lost seal key', judgeSeals(true, false), 'warn', /lost/],
    ['no seal key', judgeSeals(false, undefined), 'warn', /no seal key/],
    ['seal keys', judgeSeals(true, true), 'ok', /opens/],
    ['no backup', judgeBackup(undefined, true, NOW, ''), 'warn', /no backup/],
    ['a backup of yesterday', judgeBackup(NOW - DAY_MS, true, NOW, ''), 'ok', /2026-11-29 12:00 UTC, 1 d 0 h ago/],
    ['a backup of three days ago', judgeBackup(NOW - 3 * DAY_MS, true, NOW, ''), 'warn', /3 d/],
    ['a backup of three weeks ago', judgeBackup(NOW - 21 * DAY_MS, true, NOW, ''), 'fail', /nothing in it/],
    ['no report that waits', judgeReports(SERVING), 'ok', /none waits/],
    [
      'held reports',
      judgeReports({
        ...SERVING,
        held: [
          { report: 3, people: undefined },
          { report: 5, people: 20_000 },
        ],
      }),
      ...(['warn', /2 reports held until you decide: 3, 5/] as const),
    ],
    ['an account', judgeAccounts([{ name: 'anna', role: 'auditor', since: 0 }]), 'ok', /1 account: 1 auditor/],
    ['a revoked account', judgeAccounts([{ name: 'a', role: 'auditor', since: 0, revokedAt: 1 }]), 'ok', /none/],
    ['a whole audit log', judgeAudit({ count: 2, broken: [] }), 'ok', /2 lines/],
    ['a changed audit log', judgeAudit({ count: 2, broken: [2] }), 'fail', /line 2/],
  ] as const)('%s', (_, finding, severity, what) => {
    expect(finding).toMatchObject({ severity, what: expect.stringMatching(what) })
    // A finding that is no pass names the next step.
    expect(finding.next === undefined).toBe(severity === 'ok')
  })

  it('a running peer gives findings about its health, its rosters and its version', () => {
    const severities = (change: object, version = '1.2.3') =>
      judgeRunningPeer({ ...SERVING, ...change } as CentralFacts, version, '').map(({ severity }) => severity)
    expect(severities({})).toEqual(['ok', 'ok', 'ok'])
    expect(severities({ health: 'disk-full' })).toEqual(['fail', 'ok', 'ok'])
    expect(severities({ health: 'catching-up', standing: 'catching-up' })).toEqual(['warn', 'warn', 'ok'])
    expect(severities({ evidence: ['fork'] })).toEqual(['ok', 'fail', 'ok'])
    expect(severities({}, '1.2.4')).toEqual(['ok', 'ok', 'warn'])
    expect(judgeRunningPeer(undefined, '1', ' --dir /d')).toMatchObject([
      { severity: 'warn', next: 'start it: geotrace central run --dir /d' },
    ])
  })
})
