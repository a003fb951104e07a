/**
 * Chooses the connection that a host closes to make room for a new one. PROTOCOL.md §6.5. Pure.
 * A connection that had its turn may be closed although it is in use. Otherwise connections that keep asking would lock
 * out their neighbours at the same address.
 */
import type { RequesterAddress } from './requester.ts'

/** An open inbound connection that may be closed. Members of the federation are none. */
export interface Occupant extends RequesterAddress {
  /** Whether a request is under way. */
  readonly isBusy: boolean
  readonly openedMs: number
  readonly lastUseMs: number
}
/** An occupant with the function that closes it and frees its place in the table at once. */
export interface Evictable extends Occupant {
  close(): void
}
/** The group whose bound is reached: the address of the newcomer, its /48, or the host. */
export type Scope = 'prefix' | 'fence' | 'host'
interface EvictionTimes {
  readonly nowMs: number
  /** A connection without a request for this time is idle. */
  readonly idleMs: number
  /** A connection without a request for this time is resting. A sync asks again sooner. */
  readonly restMs: number
  /** A connection that is open for this time had its turn. A sync takes a few seconds. */
  readonly turnMs: number
}

/**
 * The longest idle connection of the scope; of a full address or /48 the one that rests longest. Without one:
 * - a full address loses the connection that is open longest, if it had its turn;
 * - a full /48 loses the least recently used connection of its largest address, a full host that of its largest /48. The
 *   loser must have at least two more than the newcomer's group. Without this rule sixty addresses could fill the host.
 */
export function chooseEviction<T extends Occupant>(
  occupants: readonly T[],
  newcomer: RequesterAddress,
  scope: Scope,
  { nowMs, idleMs, restMs, turnMs }: EvictionTimes,
): T | undefined {
  const rivals = occupants.filter((item) => scope === 'host' || item[scope] === newcomer[scope])
  const byUse = [...rivals].sort((a, b) => a.lastUseMs - b.lastUseMs)
  const unused = byUse.find(({ isBusy }) => !isBusy)
  const unusedMs = unused === undefined ? Number.NEGATIVE_INFINITY : nowMs - unused.lastUseMs
  if (unusedMs >= (scope === 'host' ? idleMs : Math.min(restMs, idleMs))) return unused
  if (scope !== 'prefix') return ofLargestGroup(byUse, newcomer, scope === 'host' ? 'fence' : 'prefix')
  const [oldest] = [...rivals].sort((a, b) => a.openedMs - b.openedMs)
  return oldest !== undefined && nowMs - oldest.openedMs >= turnMs ? oldest : undefined
}

function ofLargestGroup<T extends Occupant>(
  byUse: readonly T[],
  newcomer: RequesterAddress,
  group: 'fence' | 'prefix',
): T | undefined {
  const counts = new Map<string | undefined, number>()
  for (const { [group]: name } of byUse) counts.set(name, (counts.get(name) ?? 0) + 1)
  const most = Math.max(...counts.values())
  if (most < (counts.get(newcomer[group]) ?? 0) + 2) return undefined
  return byUse.find(({ [group]: name }) => counts.get(name) === most)
}
