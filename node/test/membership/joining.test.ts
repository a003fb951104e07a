import { testReveals } from '@geotrace/core-wasm/testing'
import { type CertifiedRoster, EPOCH_MS, newChange, type SignedChange, signChange } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { toJoining } from '../../src/membership/joining.ts'
import { follow, founded, operatorSigner, peerSigner } from './chain.ts'

const KEY = peerSigner('oak').key
const { first } = founded({ shards: 3, replicas: 3, periodEpochs: 18 })
const { federation, firstEpoch } = first.roster
/** The period of the founding has begun, and its next roster is not agreed on yet. */
const NOW = (firstEpoch + 3) * EPOCH_MS

function application(...sponsors: string[]): SignedChange {
  const change = newChange(federation, {
    kind: 'join',
    until: firstEpoch + 500,
    operator: 'oak',
    operatorKey: operatorSigner('oak').key,
    key: KEY,
    addresses: ['/ip4/127.0.0.1/tcp/4107'],
  })
  return [peerSigner('oak'), operatorSigner('oak'), ...sponsors.map(operatorSigner)].reduce(signChange, change)
}
const joining = (rosters: CertifiedRoster[], pending: SignedChange[] = []) =>
  toJoining({ key: KEY, rosters, pending, nowMs: NOW })
const moment = ({ roster }: CertifiedRoster) => ({ height: roster.height, fromMs: roster.firstEpoch * EPOCH_MS })

describe('the way of a newcomer', () => {
  it('without an application nothing is known, and with too few sponsors no date is given', () => {
    const none = { endorsed: undefined, admitted: undefined, ranked: undefined, passedBy: undefined, serves: undefined }
    expect(joining([])).toEqual(none)
    expect(joining([first])).toEqual(none)
    expect(joining([first], [application('ash', 'birch')])).toEqual({
      ...none,
      endorsed: { by: ['ash', 'birch'], needs: 3 },
    })
  })

  it('enough sponsors, admission, ranking and shards follow each other, and the expected roster is the one that comes', () => {
    const signed = application('ash', 'birch', 'cedar')
    const admitting = follow(first, { changes: [signed] })
    const ranking = follow(admitting, { reveals: testReveals(admitting) })
    const serving = follow(ranking)
    const endorsed = { by: ['ash', 'birch', 'cedar'], needs: 3 }
    const expected = { ...moment(serving), isExpected: true }
    const chain = [first, admitting, ranking, serving]
    expect(joining(chain.slice(0, 1), [signed])).toMatchObject({ endorsed, serves: expected })
    expect(joining(chain.slice(0, 2))).toEqual({
      endorsed,
      admitted: moment(admitting),
      ranked: undefined,
      passedBy: undefined,
      serves: expected,
    })
    expect(joining(chain.slice(0, 3))).toMatchObject({ ranked: moment(ranking), serves: expected })
    expect(joining(chain)).toMatchObject({ endorsed, serves: { ...moment(serving), isExpected: false } })
  })

  it('a roster without enough opened nonces ranks nobody, so the expected date moves by a period', () => {
    const admitting = follow(first, { changes: [application('ash', 'birch', 'cedar')] })
    const without = follow(admitting)
    const before = joining([first, admitting]).serves!
    const passed = joining([first, admitting, without])
    const after = passed.serves!
    expect(passed.passedBy).toEqual(moment(without))
    const ranking = follow(without, { reveals: testReveals(without) })
    expect(joining([first, admitting, without, ranking]).passedBy).toBeUndefined()
    expect(after.height - before.height).toBe(1)
    expect(after.fromMs - before.fromMs).toBe(18 * EPOCH_MS)
  })
})
