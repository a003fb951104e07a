/**
 * Chooses the connection that a host closes to make room for a new one. PROTOCOL.md §6.5. Pure.
 */
import type { RequesterAddress } from './requester.ts'

/** An open inbound connection that may be closed. Members of the federation are none. */
export interface Occupant extends RequesterAddress {
  /** Whether it has no stream and was unused for `idleMs`. */
  readonly isIdle: boolean
  readonly lastUseMs: number
}

/**
 * The longest idle connection of the newcomer's prefix, or of any prefix when the host is full. When a full host has no
 * idle connection, the fence with the most connections loses the one unused for longest. It must have at least two more
 * than the newcomer's fence. Without this rule sixty addresses could fill the host.
 */
export function chooseEviction<T extends Occupant>(
  occupants: readonly T[],
  newcomer: RequesterAddress,
  isFull: boolean,
): T | undefined {
  const oldestFirst = [...occupants].sort((a, b) => a.lastUseMs - b.lastUseMs)
  const idle = oldestFirst.find(({ isIdle, prefix }) => isIdle && (isFull || prefix === newcomer.prefix))
  return idle ?? (isFull ? ofLargestFence(oldestFirst, newcomer) : undefined)
}

function ofLargestFence<T extends Occupant>(oldestFirst: readonly T[], { fence }: RequesterAddress): T | undefined {
  const counts = new Map<string | undefined, number>()
  for (const { fence: name } of oldestFirst) counts.set(name, (counts.get(name) ?? 0) + 1)
  const most = Math.max(...counts.values())
  if (most < (counts.get(fence) ?? 0) + 2) return undefined
  return oldestFirst.find(({ fence: name }) => counts.get(name) === most)
}
