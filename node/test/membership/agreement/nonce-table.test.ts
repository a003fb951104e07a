import { testNonce, testNonceCommitments, testReveals } from '@geotrace/core-wasm/testing'
import {
  type CertifiedRoster,
  type GossipCommitment,
  type GossipReveal,
  newChange,
  signChange,
  signCommitment,
} from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { createNonceTable } from '../../../src/membership/agreement/nonce-table.ts'
import { systemRandom } from '../../../src/platform/random.ts'
import { follow, founded, NAMES, operatorSigner, peerSigner } from '../chain.ts'

const { first } = founded({ shards: 1, periodEpochs: 2, reserveEpochs: 1 })
const { federation } = first.roster
const join = ['ash', 'birch', 'cedar', 'gum']
  .map(operatorSigner)
  .concat(peerSigner('gum'))
  .reduce(
    signChange,
    newChange(federation, {
      ...{ kind: 'join', until: 0xffffffff, operator: 'gum', addresses: ['/ip4/127.0.0.1/tcp/9'] },
      ...{ operatorKey: operatorSigner('gum').key, key: peerSigner('gum').key },
    }),
  )
const admitting = follow(first, { changes: [join] })

function setting(newest: CertifiedRoster | undefined) {
  const store = { newest, add: () => {} }
  const clock = { at: 1_000, now: () => clock.at }
  const rosters = {
    get newest() {
      return store.newest
    },
    onAdd: (fn: (certified: CertifiedRoster) => void) => void (store.add = () => fn(store.newest!)),
  }
  return { store, clock, table: createNonceTable(rosters, clock) }
}
const committing = (operator: number, previous = first): GossipCommitment => {
  const given = testNonceCommitments(previous)[operator]!
  return { kind: 'commitment', previous: previous.hash, operator, ...given }
}
const revealing = (operator: number, nonce = testNonce(NAMES[operator]!, 1), height = 1): GossipReveal => ({
  ...{ kind: 'reveal', height, operator, nonce },
})

describe('the table of nonces', () => {
  it('the table takes one commitment of each operator for the roster after the newest one', () => {
    const { table } = setting(first)
    expect(table.commitments()).toEqual(Array(6).fill(null))
    expect(table.take(committing(1))).toBe('accept')
    expect(table.take(committing(1))).toBe('ignore')
    const { commitment, signature } = committing(1)
    expect(table.commitments()).toEqual([null, { commitment, signature }, null, null, null, null])
    // A second nonce of the same operator changes nothing.
    const second = signCommitment(operatorSigner('birch'), federation, first.hash, systemRandom(32))
    expect(table.take({ ...committing(1), ...second })).toBe('ignore')
    expect(table.take({ ...committing(2), signature })).toBe('reject')
    expect(table.take({ ...committing(1), operator: 3 })).toBe('reject')
    expect(table.take({ ...committing(1), operator: 6 })).toBe('ignore')
    expect(table.take(committing(0, admitting))).toBe('ignore')
    expect(setting(undefined).table.take(committing(1))).toBe('ignore')
  })

  it('the table takes only the nonces to which the newest roster committed', () => {
    const { table } = setting(admitting)
    expect(table.reveals()).toEqual(Array(6).fill(null))
    expect(table.take(revealing(0))).toBe('accept')
    expect(table.take(revealing(0))).toBe('ignore')
    expect(table.take(revealing(1, systemRandom(32)))).toBe('reject')
    expect(table.take(revealing(1, testNonce('birch', 2)))).toBe('reject')
    expect(table.take(revealing(1, testNonce('birch', 1), 0))).toBe('ignore')
    // The operator that this roster admits could not commit.
    expect(table.take(revealing(6))).toBe('ignore')
    expect(table.reveals()).toEqual([testReveals(admitting)[0], ...Array(5).fill(null)])
    // The founding roster admits nobody, so it has no commitments.
    expect(setting(first).table.take(revealing(0))).toBe('ignore')
    expect(setting(first).table.reveals()).toEqual([])
  })

  it('the table says what it held before a time', () => {
    const { table, clock } = setting(admitting)
    table.take(revealing(0))
    table.take(committing(0, admitting))
    clock.at = 2_000
    table.take(revealing(1))
    table.take(committing(1, admitting))
    const held = (beforeMs?: number) =>
      [table.reveals(beforeMs), table.commitments(beforeMs)].map((list) => list.filter((item) => item !== null).length)
    expect([1_000, 1_001, 2_000, 2_001, undefined].map(held)).toEqual([
      [0, 0],
      [1, 1],
      [1, 1],
      [2, 2],
      [2, 2],
    ])
  })

  it('the table gives all messages for a peer that was away, and forgets them with the next roster', () => {
    const { table, store } = setting(admitting)
    const messages = [committing(2, admitting), revealing(2)]
    for (const message of messages) table.take(message)
    expect(table.messages()).toEqual(messages)
    store.newest = follow(admitting)
    store.add()
    expect(table.messages()).toEqual([])
    expect(table.commitments()).toEqual(Array(7).fill(null))
  })
})
