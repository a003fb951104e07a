import { describe, expect, it } from 'vitest'
import type { ChangeView } from '../../src/admin/membership-routes.ts'
import { batchLines, codeLines } from '../../src/cli/central/codes-command.ts'
import { reportLines, trialLines } from '../../src/cli/central/reports-command.ts'
import { type Finding, findingsToSummary, findingToLines } from '../../src/cli/doctor/finding.ts'
import { checkNode, judgeDisk, judgeLimits } from '../../src/cli/doctor/machine.ts'
import { judgePeers } from '../../src/cli/doctor/network.ts'
import { judgeRunning } from '../../src/cli/doctor/running.ts'
import { logLines } from '../../src/cli/federation/log.ts'
import { endorsementAdvice, endorsementLine } from '../../src/cli/federation/vote.ts'
import { drainResult } from '../../src/cli/process/until-gone.ts'
import { drainAdvice, soleWarning } from '../../src/cli/salt/drain.ts'
import { statusLines } from '../../src/cli/status.ts'
import { HOUR, NOW, sampleStatus, sampleView } from './salt/samples.ts'

/** The output of each command as people read it, in `golden/`. `npx vitest run node/test/cli/golden -u` writes it anew. */
const golden = (name: string, lines: readonly string[]) =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}.txt`)

describe('the output of the commands', () => {
  it('reports list, reports try, codes list and codes status read as in golden/reports.txt', async () => {
    const report = {
      id: 1,
      at: NOW,
      from: NOW - 72 * HOUR,
      until: NOW + 72 * HOUR,
      stage: 'published' as const,
      marked: 1,
    }
    const batch = {
      batch: '3f9a1c04d2',
      label: 'laboratory 3',
      worker: 'anna',
      issuedAt: NOW,
      expiresAt: NOW + 48 * HOUR,
      ...{ open: 190, spent: 8, expired: 0, revoked: 2 },
    }
    await golden('reports', [
      ...reportLines([]),
      '',
      ...reportLines([
        report,
        { ...report, id: 2, stage: 'held', heldBy: 'breaker', marked: 0 },
        { ...report, id: 12, stage: 'retracted', marked: 1_234, reason: 'two samples for one' },
      ]),
      '',
      ...trialLines(3, { degrees: [212, 3_400], marks: 9_876, capped: false }),
      ...trialLines(4, { degrees: [], marks: 0, capped: true }),
      '',
      ...batchLines([]),
      '',
      ...batchLines([batch, { ...batch, batch: '00c0ffee00', open: 0, spent: 1, label: undefined, worker: undefined }]),
      '',
      ...codeLines({ ...batch, state: 'spent', report: 3, from: NOW - 72 * HOUR, testedAt: NOW - 24 * HOUR }),
    ])
  })

  it('federation log reads as in golden/federation-log.txt', async () => {
    const roster = {
      height: 0,
      name: '0123456789abcdef',
      firstEpoch: 373_800,
      operators: 6,
      members: 5,
      newcomers: 0,
      admitted: 0,
      votes: 6,
      changes: [],
    }
    const change = { id: '00', kind: 'join' as const, until: 373_926 }
    await golden('federation-log', [
      ...logLines({ isForked: false, rosters: [], pending: [] }),
      '',
      ...logLines({
        isForked: true,
        rosters: [{ ...roster, height: 7 }],
        pending: [],
      }),
      '',
      ...logLines({
        isForked: true,
        rosters: [
          roster,
          { ...roster, height: 1, firstEpoch: 373_818, admitted: 1, changes: ['hazel joins'] },
          { ...roster, height: 2, firstEpoch: 373_836, release: 'ab'.repeat(32) },
        ],
        pending: [
          {
            ...change,
            what: 'oak joins with node 12D3KooW at /dns/oak.example.org/tcp/4101',
            endorsedBy: ['ash'],
            needs: 3,
          },
          { ...change, what: 'operator birch leaves', endorsedBy: [], needs: 0 },
          {
            ...change,
            what: 'the federation changes to 9 replicas of each shard, from the roster after the one that makes the change',
            endorsedBy: ['ash', 'birch', 'cedar', 'elm', 'fir'],
            needs: 5,
            problem: 'members of fewer than 9 operators would be left: lower the replicas first',
          },
        ],
      }),
    ])
  })

  it('federation vote reads as in golden/federation-vote.txt', async () => {
    const view = { id: '00', kind: 'join' as const, what: '', until: 373_926, needs: 3, nextRosterMs: NOW + 7 * HOUR }
    const by = (...endorsedBy: string[]) => ({ ...view, endorsedBy })
    const vote = (before: ChangeView, after: ChangeView) => [
      endorsementLine(after),
      ...endorsementAdvice(before, after),
      '',
    ]
    await golden('federation-vote', [
      ...vote(by('ash'), by('ash', 'birch')),
      ...vote(by('ash', 'birch'), by('ash', 'birch')),
      ...vote(by('ash', 'birch'), by('ash', 'birch', 'cedar')),
    ])
  })

  it('salt drain reads as in golden/salt-drain.txt', async () => {
    await golden('salt-drain', [
      ...soleWarning([2]),
      ...soleWarning([2, 5, 9]),
      '',
      drainResult(3_000, 0),
      drainResult(412, 7),
      ...drainAdvice(' --dir /srv/salt'),
    ])
  })

  it('status reads as in golden/status.txt: serving, waiting to be admitted, and with the file of another founding', async () => {
    const endorsed = { by: ['ash', 'birch', 'cedar'], needs: 3 }
    const joining = {
      endorsed,
      admitted: { height: 3, fromMs: NOW - HOUR },
      ranked: undefined,
      passedBy: undefined,
      serves: { height: 5, fromMs: NOW + 47 * HOUR, isExpected: true },
    }
    const roster = sampleView().roster!
    const nextRoster = { ...roster, height: 4, name: 'fedcba9876543210', fromMs: NOW + HOUR }
    const missing = [
      { shard: 1, parts: 2 },
      { shard: 4, parts: 1 },
    ]
    const nextPeriod = { neededMs: NOW + 2 * HOUR, lateFromMs: NOW, parts: 20, missing }
    await golden('status', [
      ...statusLines(sampleStatus({ nextPeriod }, { view: sampleView({ nextRoster }) })),
      '',
      ...statusLines(
        sampleStatus({ state: 'waiting', shards: [] }, { view: sampleView({ joining, votes: false }), node: 'oBm12' }),
      ),
      '',
      ...statusLines(
        sampleStatus(
          { state: 'joining', shards: [], roster: undefined, reach: { asked: 4, answered: 0, strayed: [], atMs: NOW } },
          { strayed: ['ash', 'birch', 'cedar', 'elm'] },
        ),
      ),
    ])
  })

  it('doctor reads as in golden/doctor.txt: before a founding, on a serving node, and in trouble', async () => {
    const doctor = (...findings: Finding[]) => [...findings.flatMap(findingToLines), findingsToSummary(findings), '']
    const seen = (tried: number, more: object = {}) => ({ tried, strayed: [], silent: [], offsets: [], ...more })
    const serving = sampleStatus()
    const troubled = sampleStatus({ clockOffsetMs: 41_000 }, { diskFreeBytes: 3 << 20 })
    await golden('doctor', [
      ...doctor(
        checkNode('24.1.0'),
        judgeDisk(20_000 * (1 << 20), '/srv/salt'),
        judgePeers(seen(2, { silent: ['ash', 'birch'] }), false),
        ...judgeRunning(undefined, ' --dir /srv/salt'),
      ),
      ...doctor(checkNode('20.20.0'), judgePeers(seen(4), true), ...judgeRunning(serving)),
      ...doctor(
        judgeDisk(3 << 20, '/srv/salt'),
        judgePeers(seen(4, { strayed: ['ash', 'birch', 'cedar'] }), true),
        ...judgeLimits({ coreBytes: undefined, openFiles: 256 }, 500),
        ...judgeRunning(troubled),
      ),
    ])
  })
})
