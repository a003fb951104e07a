import { newChange, type Roster, type SignedChange } from '@geotrace/core-wasm/wire'
import { describe, expect, it } from 'vitest'
import { MOVE_LIFE_EPOCHS, type Move, ownMove } from '../../src/membership/own-move.ts'
import { FOUNDED, founded, peerSigner } from './chain.ts'

const HERE = ['/ip4/127.0.0.1/tcp/9001', '/ip4/127.0.0.1/tcp/9002']
const { key } = peerSigner('ash')
const { roster } = founded().first

function move(more: Partial<Parameters<typeof ownMove>[0]> = {}): Move | undefined {
  return ownMove({ roster, key, addresses: HERE, pending: [], nowMs: FOUNDED, ...more })
}
const pending = (change: Move): SignedChange => newChange(roster.federation, change)

describe('the move of a member', () => {
  it('a member publishes addresses that the roster does not list, and the move lives for a week', () => {
    expect(move()).toEqual({
      kind: 'move',
      at: FOUNDED,
      until: roster.firstEpoch + MOVE_LIFE_EPOCHS,
      key,
      addresses: HERE,
    })
    expect(MOVE_LIFE_EPOCHS * 80).toBe(7 * 24 * 60)
  })

  it('a member publishes no move for the addresses that the roster lists, in whatever order', () => {
    const listed: Roster = {
      ...roster,
      members: roster.members.map((member) => ({ ...member, addresses: HERE.slice().reverse() })),
    }
    expect(move({ roster: listed })).toBeUndefined()
    expect(move({ roster: listed, addresses: HERE.slice(0, 1) })).toMatchObject({ addresses: HERE.slice(0, 1) })
  })

  it('a member of a public federation publishes no move to a private address, because no roster would make it', () => {
    const open = roster.members.map((member) => ({ ...member, addresses: ['/ip4/203.0.113.7/tcp/4101'] }))
    expect(move({ roster: { ...roster, members: open } })).toBeUndefined()
    const addresses = ['/dns4/salt.example.org/tcp/4101']
    expect(move({ roster: { ...roster, members: open }, addresses })).toMatchObject({ addresses })
  })

  it('a peer publishes no move before the founding, without an address, or while the roster does not list it', () => {
    expect(move({ roster: undefined })).toBeUndefined()
    expect(move({ addresses: [] })).toBeUndefined()
    expect(move({ key: peerSigner('gum').key })).toBeUndefined()
  })

  it('a member compares its addresses with the latest of its own pending moves', () => {
    const first = move()!
    const back: Move = { ...first, at: first.at + 5, addresses: ['/ip4/127.0.0.1/tcp/9'] }
    const foreign: Move = { ...first, at: first.at + 9, key: peerSigner('birch').key, addresses: HERE.slice(0, 1) }
    expect(move({ pending: [pending(first), pending(foreign)] })).toBeUndefined()
    expect(move({ pending: [pending(first), pending(back)] })).toMatchObject({ addresses: HERE })
    expect(move({ pending: [pending(back), pending(first)] })).toMatchObject({ addresses: HERE })
  })

  it('a move is later than the last one even after the clock was set back', () => {
    const first = move()!
    const other: Move = { ...first, addresses: ['/ip4/127.0.0.1/tcp/9'] }
    expect(move({ pending: [pending(other)], nowMs: FOUNDED - 1_000 })!.at).toBe(first.at + 1)
    const moved: Roster = { ...roster, members: roster.members.map((member) => ({ ...member, moved: FOUNDED + 50 })) }
    expect(move({ roster: moved })!.at).toBe(FOUNDED + 51)
    expect(move({ roster: moved, nowMs: FOUNDED + 99 })!.at).toBe(FOUNDED + 99)
  })
})
