import { describe, expect, it } from 'vitest'
import { judgeRoster, judgeRunning } from '../../../src/cli/doctor/running.ts'
import { NOW, sampleStatus } from '../salt/samples.ts'

describe('the checks of a running node', () => {
  it('a roster past its period gives a warning, one past its reserve a problem', () => {
    const roster = (more: object) => judgeRoster({ ...sampleStatus().roster!, ...more }, undefined, NOW).severity
    expect([
      roster({}),
      roster({ fromMs: NOW + 1 }),
      roster({ untilMs: NOW }),
      roster({ untilMs: NOW, reserveUntilMs: NOW }),
    ]).toEqual(['ok', 'ok', 'warn', 'fail'])
    expect(judgeRoster(undefined, undefined, NOW).severity).toBe('warn')
  })

  it('a node that does not run gives a warning with the command that starts it', () => {
    expect(judgeRunning(undefined)).toEqual([
      expect.objectContaining({ severity: 'warn', next: 'start it: geotrace salt run' }),
    ])
  })

  it('the finding for an unhealthy node names the next step of its most severe hint', () => {
    const status = sampleStatus({ clockOffsetMs: 41_000, refused: { BUSY: 999 } })
    const running = judgeRunning({ ...status, hints: [...status.hints].reverse() })[0]!
    expect(running).toMatchObject({ severity: 'fail', next: expect.stringMatching(/time synchronisation/) })
  })
})
