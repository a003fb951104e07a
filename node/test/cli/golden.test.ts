import { describe, expect, it } from 'vitest'
import { reportLines, trialLines } from '../../src/cli/central/reports-command.ts'
import { logLines } from '../../src/cli/federation/log.ts'
import { drainAdvice, drainResult } from '../../src/cli/salt/drain.ts'
import { HOUR, NOW } from './salt/samples.ts'

/** The output of each command as people read it, in `golden/`. `npx vitest run -u node/test/cli/golden` writes it anew. */
const golden = (name: string, lines: readonly string[]) =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`golden/${name}.txt`)

describe('the output of the commands', () => {
  it('reports list and reports try read as in golden/reports.txt', async () => {
    const report = {
      id: 1,
      at: NOW,
      from: NOW - 72 * HOUR,
      until: NOW + 72 * HOUR,
      state: 'active' as const,
      marked: 1,
    }
    await golden('reports', [
      ...reportLines([]),
      '',
      ...reportLines([report, { ...report, id: 12, state: 'retracted', marked: 1_234 }]),
      '',
      ...trialLines({ degrees: [1, 12], marks: 40, capped: false }),
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
        rosters: [roster, { ...roster, height: 1, firstEpoch: 373_818, admitted: 1, changes: ['hazel joins'] }],
        pending: [
          {
            ...change,
            what: 'oak joins with node 12D3KooW at /dns/oak.example.org/tcp/4101',
            endorsedBy: ['ash'],
            needs: 3,
          },
          { ...change, what: 'operator birch leaves', endorsedBy: [], needs: 0 },
        ],
      }),
    ])
  })

  it('salt drain reads as in golden/salt-drain.txt', async () => {
    await golden('salt-drain', [drainResult(3_000, 0), drainResult(412, 7), ...drainAdvice(' --dir /srv/salt')])
  })
})
