/**
 * The `move` by which a member publishes its own new addresses. PROTOCOL.md §4.8. Pure.
 */
import { type Change, equalBytes, mayName, type Roster, type SignedChange } from '@geotrace/core-wasm/wire'

/** A move that no roster made lapses after a week; then it is made again. */
export const MOVE_LIFE_EPOCHS = 126

export type Move = Change & { kind: 'move' }

interface OwnMoveState {
  /** The newest roster; undefined before the founding. */
  roster: Roster | undefined
  key: Uint8Array
  /** Where others reach this peer now; empty when it does not know. */
  addresses: readonly string[]
  /** Changes that wait for a roster. */
  pending: readonly SignedChange[]
  /** Unix ms. */
  nowMs: number
}

/**
 * Undefined when the roster, with the last pending move of this member, gives the current addresses already, or when no
 * roster may name them.
 */
export function ownMove({ roster, key, addresses, pending, nowMs }: OwnMoveState): Move | undefined {
  const self = roster?.members.find((member) => equalBytes(member.key, key))
  if (roster === undefined || self === undefined || addresses.length === 0) return undefined
  const last = lastMove(pending, key)
  if (sameItems(last?.addresses ?? self.addresses, addresses) || !mayName(roster, addresses)) return undefined
  return {
    kind: 'move',
    // A move counts only when it is later than the last one, also after the clock was set back.
    at: Math.max(nowMs, (last?.at ?? self.moved) + 1),
    until: roster.firstEpoch + MOVE_LIFE_EPOCHS,
    key,
    addresses: [...addresses],
  }
}

/** The latest pending move of this key, which is the one that counts. */
function lastMove(changes: readonly SignedChange[], key: Uint8Array): Move | undefined {
  const isOwn = (change: Change): change is Move => change.kind === 'move' && equalBytes(change.key, key)
  const own = changes.map(({ change }) => change).filter(isOwn)
  return own.sort((a, b) => b.at - a.at)[0]
}

function sameItems(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item))
}
