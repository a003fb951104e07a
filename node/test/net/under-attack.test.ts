/** The attacks of test/faults/attack.test.ts at a smaller size, most behind the addresses of the honest clients. */
import { expect, it } from 'vitest'
import { overload } from '../../bench/overload.js'
import { underAttack } from '../../bench/under-attack.js'

const MIB = 1_048_576

it.each([
  ['quartets', 75, true],
  ['shakers', 40, false],
  ['streams', 4, true],
  ['readers', 4, true],
  ['writers', 4, true],
] as const)('honest clients are answered while others attack: %s', async (kind, attackers, behind) => {
  const result = await underAttack({ kind, attackers, sessions: 3, behind })
  expect(result.did.connections).toBeGreaterThanOrEqual(attackers)
  expect(result).toMatchObject({ answeredBefore: 1, answered: 1 })
  expect(result.rssMostBytes).toBeLessThan(512 * MIB)
})

it('requests beyond the capacity of a node get BUSY and no other refusal', async () => {
  const { peak, flood, recoveryMs } = await overload({ times: 10, seconds: 1, addresses: 8 })
  expect(peak).toMatchObject({ others: 0 })
  expect(peak.perSecond).toBeGreaterThan(0)
  expect(flood).toMatchObject({ others: 0 })
  expect(flood.perSecond).toBeGreaterThan(0)
  expect(recoveryMs).toBeLessThan(Number.POSITIVE_INFINITY)
})
