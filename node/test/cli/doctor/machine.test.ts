import { describe, expect, it } from 'vitest'
import { judgeDisk, judgeLimits } from '../../../src/cli/doctor/machine.ts'

describe('the checks of the machine', () => {
  it('less than 500 MiB of free disk gives a warning, less than 50 MiB a problem', () => {
    const MIB = 1 << 20
    expect([500 * MIB, 500 * MIB - 1, 50 * MIB, 50 * MIB - 1].map((free) => judgeDisk(free, '/x').severity)).toEqual([
      'ok',
      'warn',
      'warn',
      'fail',
    ])
  })

  it('crash dumps give a warning, and so do fewer open files than the connections need', () => {
    const severities = (coreBytes: number | undefined, openFiles: number | undefined) =>
      judgeLimits({ coreBytes, openFiles }, 500).map(({ severity }) => severity)
    expect(severities(0, 756)).toEqual(['ok', 'ok'])
    expect(severities(undefined, 755)).toEqual(['warn', 'warn'])
    expect(severities(1, undefined)).toEqual(['warn', 'ok'])
    expect(judgeLimits(undefined, 500).map(({ severity }) => severity)).toEqual(['warn'])
  })
})
