import { describe, expect, it } from 'vitest'
import { parametersToSalting, priceText, saltingText } from '../../../src/admin/page/salting-words.ts'
import { optionsToSalting } from '../../../src/cli/terminal/salting.ts'

describe('the salting of a new federation', () => {
  it('without numbers it is threshold, with half of five replicas or of all nodes, rounded up', () => {
    const sizes = [1, 2, 3, 4, 5, 9].map((nodes) => optionsToSalting({ salting: 'threshold' }, nodes))
    expect(sizes.map(({ salting, threshold, replicas }) => `${salting} ${threshold} of ${replicas}`)).toEqual([
      ...['threshold 1 of 1', 'threshold 1 of 2', 'threshold 2 of 3', 'threshold 2 of 4', 'threshold 3 of 5'],
      'threshold 3 of 5',
    ])
    expect(optionsToSalting({ salting: 'threshold', threshold: 1, replicas: 6 }, 9)).toEqual({
      ...{ salting: 'threshold', replicas: 6, threshold: 1 },
    })
  })

  it('plain has threshold 1, three replicas unless the founder says otherwise, and takes no threshold', () => {
    expect(optionsToSalting({ salting: 'plain' }, 9)).toEqual({ salting: 'plain', replicas: 3, threshold: 1 })
    expect(optionsToSalting({ salting: 'plain', replicas: 5 }, 9)).toMatchObject({ replicas: 5, threshold: 1 })
    expect(optionsToSalting({ salting: 'plain' }, 2)).toMatchObject({ replicas: 2 })
    expect(() => optionsToSalting({ salting: 'plain', threshold: 2 }, 9)).toThrow(
      expect.objectContaining({ code: 'COMMAND_INVALID' }),
    )
  })

  it('the words call plain WEAK, and the price grows with the devices of an address', () => {
    const of = (salting: 'plain' | 'threshold', devicesPerAddress: number) =>
      parametersToSalting({ salting, threshold: 3, replicas: 5, devicesPerAddress })
    expect(saltingText(of('plain', 1))).toContain('WEAK')
    expect(priceText(of('plain', 1))).toBeUndefined()
    expect(saltingText(of('threshold', 1))).not.toContain('WEAK')
    // The design's figure: 432 and 40 an hour while an epoch is open, at five nodes, three for each cell.
    expect(priceText(of('threshold', 1))).toContain('can test 1 100 cells of an epoch, 0.02 % of a region')
    expect(priceText(of('threshold', 64))).toContain('can test 70 400 cells of an epoch, 1 % of a region')
  })
})
