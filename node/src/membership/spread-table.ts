/**
 * The keys and the counts of spreads that members published. PROTOCOL.md §9.7, §9.9. The roster that rules a period decides
 * whose statements count. Two keys or two spreads of one member for one period become evidence.
 */
import type { Clock } from '@geotrace/core-wasm'
import { isRuledBy, periodToRule, type SpreadRule } from '@geotrace/core-wasm/spread'
import {
  bytesToHex,
  DAY_MS,
  decodeSpread,
  type Evidence,
  equalBytes,
  type GossipMessage,
  isValidSpread,
  isValidSpreadKey,
  periodToRulingEpoch,
  type Spread,
  type SpreadKey,
  timeToEpoch,
  toStatement,
} from '@geotrace/core-wasm/wire'
import type { Fate } from './agreement/fates.ts'
import type { RosterStore } from './roster-store.ts'

/** Published spreads that a peer keeps, so that a map can show how places fade within 14 days. */
const SPREADS_MAX = 4
/** The central peer tries the roles of a period for so long after its end. Afterwards its keys are of no use. */
export const SPREAD_RUN_DAYS = 14
/** Keys of the shortest periods that are tried, of the period now and of the next one. */
const KEYS_MAX = 2 * (SPREAD_RUN_DAYS + 3)

type SpreadMessage = GossipMessage & { kind: 'spread-key' | 'spread' }

export interface SpreadTable {
  take(message: SpreadMessage): Fate<SpreadMessage>
  /** The rule of a period; undefined while its roster is unknown, and when this period has no spread. */
  ruleOf(period: number): SpreadRule | undefined
  /** The first key that this member announced for the period. */
  keyOf(period: number, member: Uint8Array): SpreadKey | undefined
  spreadOf(period: number): Spread | undefined
  /** Ascending by period. */
  spreads(): Spread[]
  messages(): SpreadMessage[]
}

export function createSpreadTable(
  federation: Uint8Array,
  rosters: Pick<RosterStore, 'inForce'>,
  clock: Pick<Clock, 'now'>,
): SpreadTable {
  const keys = new Map<string, SpreadMessage & { kind: 'spread-key' }>()
  const spreads = new Map<number, { spread: Spread; message: SpreadMessage }>()

  const ruleOf = (period: number): SpreadRule | undefined => {
    // A later roster may still come in force for an epoch that has not begun.
    return periodToRulingEpoch(period) > timeToEpoch(clock.now()) ? undefined : periodToRule(rosters.inForce, period)
  }

  const takeKey = (message: SpreadMessage & { kind: 'spread-key' }): Fate<SpreadMessage> => {
    const { key, period } = message
    const rule = ruleOf(period)
    const isDrawn = rule && [rule.mixer, rule.teller].some((role) => equalBytes(role.key, key))
    if (!isDrawn || isOver(period + rule.spread.periodDays + SPREAD_RUN_DAYS)) return 'ignore'
    const name = toName(period, key)
    const first = keys.get(name)
    if (first !== undefined && equalBytes(first.slipKey, message.slipKey)) return 'ignore'
    if (!isValidSpreadKey(message, federation)) return 'reject'
    if (first !== undefined) return { proofs: [twoKeys(federation, first, message)] }
    keys.set(name, message)
    dropOldest(keys, KEYS_MAX, ([, one], [, other]) => one.period - other.period)
    return { keep: message, proofs: [] }
  }

  const takeSpread = (message: SpreadMessage & { kind: 'spread' }): Fate<SpreadMessage> => {
    const spread = decodeSpread(message.spread)
    const { period } = spread
    const rule = ruleOf(period)
    if (rule === undefined || !equalBytes(spread.federation, federation)) return 'ignore'
    if (!isOver(period + rule.spread.periodDays)) return 'ignore'
    const first = spreads.get(period)?.spread
    if (first !== undefined && equalBytes(toStatement(first).hash, toStatement(spread).hash)) return 'ignore'
    if (first === undefined && spreads.size >= SPREADS_MAX && period < Math.min(...spreads.keys())) return 'ignore'
    if (!isValidSpread(spread, rule.teller.key)) return 'reject'
    if (first !== undefined) return { proofs: [twoSpreads(rule.teller.key, first, spread)] }
    // The teller signed numbers that the roster does not give: a fault of its own, but no contradiction.
    if (!isRuledBy(spread, rule)) return 'reject'
    spreads.set(period, { spread, message })
    dropOldest(spreads, SPREADS_MAX, ([one], [other]) => one - other)
    return { keep: message, proofs: [] }
  }

  const isOver = (day: number): boolean => clock.now() >= day * DAY_MS

  return {
    ruleOf,
    take: (message) => (message.kind === 'spread-key' ? takeKey(message) : takeSpread(message)),
    keyOf: (period, member) => keys.get(toName(period, member)),
    spreadOf: (period) => spreads.get(period)?.spread,
    spreads: () => [...spreads.values()].map(({ spread }) => spread).sort((a, b) => a.period - b.period),
    messages: () => [...keys.values(), ...[...spreads.values()].map(({ message }) => message)],
  }
}

function twoKeys(federation: Uint8Array, first: SpreadKey, second: SpreadKey): Evidence {
  const { key, period } = first
  const [one, two] = [first, second].map(({ slipKey, signature }) => ({ slipKey, signature }))
  return { kind: 'spread-keys', key, federation, period, first: one!, second: two! }
}

function twoSpreads(key: Uint8Array, first: Spread, second: Spread): Evidence {
  const { federation, period } = first
  const [one, two] = [first, second].map((item) => ({ hash: toStatement(item).hash, signature: item.signature }))
  return { kind: 'spreads', key, federation, period, first: one!, second: two! }
}

function dropOldest<K, V>(table: Map<K, V>, max: number, order: (a: [K, V], b: [K, V]) => number): void {
  const oldest = [...table].sort(order).slice(0, Math.max(0, table.size - max))
  for (const [name] of oldest) table.delete(name)
}

function toName(period: number, key: Uint8Array): string {
  return `${period} ${bytesToHex(key)}`
}
