import { describe, expect, it } from 'vitest'
import { fail, findingsToSummary, findingToLines, ok, warn } from '../../../src/cli/doctor/finding.ts'

describe('the output of the doctor', () => {
  it('a finding is one line, and each line of its next step is aligned below', () => {
    expect(findingToLines(ok('disk', 'enough'))).toEqual(['ok    disk        enough'])
    expect(findingToLines(fail('ports', 'taken', 'first\nsecond'))).toEqual([
      'FAIL  ports       taken',
      '                  → first',
      '                    second',
    ])
  })

  it('the summary counts problems and warnings', () => {
    const [problem, warning, fine] = [fail('a', 'b', 'c'), warn('a', 'b', 'c'), ok('a', 'b')]
    expect(findingsToSummary([fine])).toBe('0 problems, 0 warnings.')
    expect(findingsToSummary([problem, warning, fine])).toBe('1 problem, 1 warning.')
    expect(findingsToSummary([problem, problem, problem, warning, warning])).toBe('3 problems, 2 warnings.')
  })
})
