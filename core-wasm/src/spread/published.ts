/**
 * Finds the published spreads of a federation. It asks peers for the periods that are over. It checks each answer against the
 * roster that rules the period. PROTOCOL.md §7.3, §9.9. Throws PEER_UNREACHABLE when no peer answers.
 */
import { DAY_MS } from '../wire/constants.ts'
import { FederationError, isFederationError } from '../wire/errors.ts'
import type { CertifiedRoster } from '../wire/federation/roster.ts'
import { decodeRosterReply, encodeRosterRequest } from '../wire/messages/roster-exchange.ts'
import { decodeSpread, type Spread } from '../wire/messages/spread-counts.ts'
import { periodToRule, type SpreadRule, spreadToFault } from './rule.ts'

/** A spread fades to nothing in so many days after the end of its period. */
export const SPREAD_FADES_DAYS = 14
/** Peers keep so many. */
const SPREADS_MAX = 4
const PERIOD_DAYS_MAX = 14

/** A period with a rule. */
export interface RuledPeriod {
  /** Its number: its first day, in days since 1970. */
  period: number
  rule: SpreadRule
}
export interface PublishedSpread extends RuledPeriod {
  spread: Spread
}
export interface PublishedSpreads {
  /** Newest first. */
  found: PublishedSpread[]
  /** Periods that are over, of which no peer has counts, newest first. */
  missing: RuledPeriod[]
  /** Why answers were not believed: a sentence for each. */
  faults: string[]
  /** The period under way, if it has a spread. */
  running: RuledPeriod | undefined
}

interface PublishedInit {
  inForce: (epoch: number) => CertifiedRoster | undefined
  federation: Uint8Array
  nowMs: number
  /** Only this period, of any age. */
  period?: number | undefined
  /** Each sends a frame of `/geotrace/roster/1` to one peer. The peers are asked in this order. */
  peers: readonly ((frame: Uint8Array) => Promise<Uint8Array>)[]
}

export async function findSpreads(init: PublishedInit): Promise<PublishedSpreads> {
  const { over, running } = spreadPeriods((period) => periodToRule(init.inForce, period), init.nowMs, init.period)
  const result: PublishedSpreads = { found: [], missing: [], faults: [], running }
  let peers = [...init.peers]
  for (const ruled of over) {
    if (result.found.length === SPREADS_MAX) break
    let spread: Spread | undefined
    for (const ask of [...peers]) {
      try {
        spread = await askOne(ask, ruled, init.federation, result.faults)
      } catch (error) {
        if (!isFederationError(error)) throw error
        if (isFederationError(error, 'MESSAGE_MALFORMED')) result.faults.push(toSentence('they cannot be read'))
        // A peer that gives no answer of use is not asked about other periods.
        peers = peers.filter((peer) => peer !== ask)
      }
      if (spread !== undefined) break
    }
    if (peers.length === 0) {
      throw new FederationError('PEER_UNREACHABLE', 'no peer answers for the published counts', {
        tried: init.peers.length,
      })
    }
    if (spread === undefined) result.missing.push(ruled)
    else result.found.push({ ...ruled, spread })
  }
  return result
}

/** The counts of one peer; undefined when it has none, or false ones. */
async function askOne(
  ask: (frame: Uint8Array) => Promise<Uint8Array>,
  { period, rule }: RuledPeriod,
  federation: Uint8Array,
  faults: string[],
): Promise<Spread | undefined> {
  const bytes = decodeRosterReply(await ask(encodeRosterRequest({ op: 'spread', period })))
  if (bytes === undefined) return undefined
  const spread = decodeSpread(bytes)
  const fault = spreadToFault(spread, period, rule, federation)
  if (fault === undefined) return spread
  faults.push(toSentence(fault))
  return undefined
}

function toSentence(fault: string): string {
  return `the counts of a peer were refused: ${fault}`
}

/** The periods that ended within the last 14 days, newest first, and the one under way. `only`: this period, of any age. */
export function spreadPeriods(ruleOf: (period: number) => SpreadRule | undefined, nowMs: number, only?: number) {
  const today = Math.floor(nowMs / DAY_MS)
  const over: RuledPeriod[] = []
  let running: RuledPeriod | undefined
  const recent = Array.from({ length: SPREAD_FADES_DAYS + PERIOD_DAYS_MAX }, (_, i) => today - i)
  for (const period of only === undefined ? recent : [only]) {
    const rule = ruleOf(period)
    if (rule === undefined) continue
    const endMs = (period + rule.spread.periodDays) * DAY_MS
    if (endMs > nowMs) running ??= { period, rule }
    else if (only !== undefined || nowMs - endMs < SPREAD_FADES_DAYS * DAY_MS) over.push({ period, rule })
  }
  return { over, running }
}
