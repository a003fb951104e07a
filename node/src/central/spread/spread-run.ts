/**
 * The run of a spread: brings the slips of an ended period to the mixer and the items to the teller, and publishes the spread.
 * PROTOCOL.md §9.8. Each round asks for the last output first, so a round after a stop or a kill goes on where it was.
 * Slips are deleted when the spread is published, when the period cannot be counted, and at the latest 14 days after it.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import { randomBelow } from '@geotrace/core-wasm/spread'
import { DAY_MS, type GossipMessage, isFederationError, MINUTE_MS, SPREAD_SLIPS_MAX } from '@geotrace/core-wasm/wire'
import type { Membership } from '../../membership/membership.ts'
import { SPREAD_RUN_DAYS, type SpreadTable } from '../../membership/spread-table.ts'
import type { Host } from '../../net/protocol.ts'
import { toCode } from '../../platform/disk-error.ts'
import type { Log } from '../../platform/log.ts'
import { type Rounds, rounds } from '../rounds.ts'
import type { CentralStore, Slip } from '../store/central-store.ts'
import { RoleCalls } from './role-calls.ts'

/** A role of a large federation works for a minute or two. Each round brings the batch again that it waits for. */
const ROUND_MS = 5 * MINUTE_MS
/** The longest period. A period whose ruling roster is unknown is taken to have this length. */
const PERIOD_MAX_DAYS = 14
/** Refusals that the same batch meets again. */
const FINAL = ['TOO_FEW', 'EPOCH_LOST', 'SYNC_CONFLICT'] as const

interface SpreadRunInit {
  readonly federation: Uint8Array
  readonly store: Pick<CentralStore, 'slipPeriods' | 'takeSlips' | 'batchOf' | 'closePeriod' | 'dropPeriod' | 'reports'>
  readonly host: Pick<Host, 'request'>
  readonly peers: Pick<Membership['peers'], 'withKey'>
  readonly table: Pick<SpreadTable, 'ruleOf' | 'spreadOf'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The median of the peers' clocks in Unix ms; undefined when no peer answers. */
  peersMs(): Promise<number | undefined>
  say(message: GossipMessage): void
}

export function spreadRun(init: SpreadRunInit): Rounds {
  const { clock, log } = init
  return rounds({
    task: (isStopped) => round(init, isStopped),
    everyMs: ROUND_MS,
    clock,
    log,
    failure: 'spread.failed',
  })
}

async function round(init: SpreadRunInit, isStopped: () => boolean): Promise<void> {
  const { store, clock, peersMs } = init
  const periods = await store.slipPeriods()
  const ended = periods.filter((period) => clock.now() >= endOf(init, period))
  if (ended.length === 0) return
  // One clock alone deletes no slip and ends no period.
  const peers = await peersMs()
  if (peers === undefined) return
  const nowMs = Math.min(clock.now(), peers)
  for (const period of ended) {
    if (isStopped()) return
    if (nowMs >= endOf(init, period)) await settle(init, period, nowMs)
  }
}

function endOf({ table }: SpreadRunInit, period: number): number {
  return (period + (table.ruleOf(period)?.spread.periodDays ?? PERIOD_MAX_DAYS)) * DAY_MS
}

/** Brings an ended period one step further, or deletes its slips. */
async function settle(init: SpreadRunInit, period: number, nowMs: number): Promise<void> {
  const { store, table, log, say } = init
  const rule = table.ruleOf(period)
  const isLate = nowMs >= endOf(init, period) + SPREAD_RUN_DAYS * DAY_MS
  if (isLate || table.spreadOf(period) !== undefined) return await store.dropPeriod(period)
  if (rule === undefined) return
  const slips = await batchOf(init, period, rule)
  if (slips === undefined) {
    log.warn('spread.too-few')
    return await store.dropPeriod(period)
  }
  try {
    const spread = await bring(init, period, rule, slips)
    if (spread === undefined) return
    say({ kind: 'spread', spread })
    // The table takes a spread only with the signature of the teller and the parameters of the roster.
    if (table.spreadOf(period) === undefined) return log.warn('spread.refused')
    await store.dropPeriod(period)
    log.info('spread.published')
  } catch (error) {
    log.warn('spread.waits', { code: toCode(error) })
    if (FINAL.some((code) => isFederationError(error, code))) await store.dropPeriod(period)
  }
}

/** The spread when the teller has counted; undefined when a role has got its batch and works on it. */
async function bring(
  init: SpreadRunInit,
  period: number,
  rule: SpreadRule,
  slips: Uint8Array,
): Promise<Uint8Array | undefined> {
  const roles = new RoleCalls(init)
  const counted = await unlessBusy(() => roles.takeCounted(rule, period))
  if (counted !== undefined) return counted
  const mixed = await unlessBusy(() => roles.takeMixed(rule, period))
  if (mixed === undefined) await roles.giveSlips(rule, period, slips)
  else await roles.giveItems(rule, period, mixed)
  return undefined
}

/** Undefined while the role has no output: it works, or it has not got its batch yet, or lost it when it stopped. */
async function unlessBusy<T>(take: () => Promise<T>): Promise<T | undefined> {
  try {
    return await take()
  } catch (error) {
    if (isFederationError(error, 'BUSY')) return undefined
    throw error
  }
}

/** The batch of the period, the same in each round; undefined when it has too few slips. */
async function batchOf({ store, random }: SpreadRunInit, period: number, { spread }: SpreadRule) {
  const known = await store.batchOf(period)
  if (known !== undefined) return known
  const counting = await withoutWithdrawn(store, await store.takeSlips(period))
  if (counting.length < spread.minimum) return undefined
  return await store.closePeriod(
    period,
    draw(counting, random).map(({ report }) => report),
  )
}

/** Without the slips of reports that the authority rejected or retracted. Those of withdrawn reports are gone. */
async function withoutWithdrawn(store: Pick<CentralStore, 'reports'>, slips: readonly Slip[]): Promise<Slip[]> {
  const reports = await store.reports()
  const gone = new Set(reports.filter(({ state }) => state === 'rejected' || state === 'retracted').map(({ id }) => id))
  return slips.filter(({ report }) => !gone.has(report))
}

/** As many slips as a batch may have, drawn at random when there are more. */
function draw(slips: Slip[], random: Random): Slip[] {
  const below = randomBelow(random)
  while (slips.length > SPREAD_SLIPS_MAX) {
    const at = below(slips.length)
    // The last one takes the place of the one that goes. The store sorts the batch.
    const last = slips.pop()!
    if (at < slips.length) slips[at] = last
  }
  return slips
}
