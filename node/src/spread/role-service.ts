/**
 * Answers /geotrace/spread/1 as the mixer or the teller of a period. PROTOCOL.md §9.8. The digest of the one batch is on the
 * disk before the work begins, and the output before anybody gets it. So a period has one output at most.
 * Throws FORBIDDEN, MESSAGE_MALFORMED, VERSION_UNKNOWN, EPOCH_LOST, SYNC_CONFLICT, TOO_FEW, BUSY, STORAGE_FULL.
 */
import { type Clock, type OneAtATime, oneAtATime, type Random } from '@geotrace/core-wasm'
import type { SpreadRule } from '@geotrace/core-wasm/spread'
import {
  type BatchPart,
  batchToParts,
  byteReader,
  DAY_MS,
  decodeSpreadRequest,
  encodeDone,
  encodeMixedReply,
  encodeRosterReply,
  equalBytes,
  FederationError,
  isValidMixed,
  periodToRulingEpoch,
  type Signer,
  SPREAD_ITEM_BYTES,
  type SpreadRequest,
} from '@geotrace/core-wasm/wire'
import type { SpreadTable } from '../membership/spread-table.ts'
import type { Handler } from '../net/protocol.ts'
import type { Log } from '../platform/log.ts'
import { BatchIntake } from './batch-intake.ts'
import { decodeOutput, encodeOutput, type RoleOutput } from './output.ts'
import type { RoleRecords } from './role-records.ts'
import { countBatch, mixBatch, type RoleWork } from './role-work.ts'

/** The central peer asks again after this time. A run of a large federation takes a minute. */
const AGAIN_MS = 2_000

interface RoleServiceInit {
  readonly federation: Uint8Array
  readonly centralKey: Uint8Array
  readonly signer: Signer
  readonly table: Pick<SpreadTable, 'ruleOf' | 'keyOf'>
  readonly records: RoleRecords
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly log: Log
  /** Publishes the teller's spread. */
  publish(spread: Uint8Array): void
  /** Yields to other work. */
  pause(): Promise<void>
}
type Batch = Extract<SpreadRequest, { op: 'slips' | 'items' }>

export class RoleService {
  readonly #init: RoleServiceInit
  readonly #inTurn: OneAtATime = oneAtATime()
  readonly #intake = new BatchIntake()
  /** The period whose batch is worked on. */
  #working: { period: number; done: Promise<void> } | undefined
  /** The last output, because the central peer takes it in many parts. */
  #output: { period: number; output: RoleOutput } | undefined
  /** The parts of a mixed output, because their digest is one over all items. */
  #parts: { period: number; parts: readonly BatchPart[] } | undefined
  #isStopped = false

  constructor(init: RoleServiceInit) {
    this.#init = init
  }

  readonly handle: Handler = async (bytes, from) => {
    const { centralKey } = this.#init
    if (from.key === undefined || !equalBytes(from.key, centralKey)) throw forbidden()
    const request = decodeSpreadRequest(bytes)
    return await this.#inTurn(() => this.#answer(request))
  }

  /** Resolves when no work runs any more. An unfinished run leaves no output. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#intake.drop()
    await this.#working?.done
  }

  /** Forgets the output of a period whose records are removed. */
  forget(period: number): void {
    if (this.#output?.period === period) this.#output = undefined
    if (this.#parts?.period === period) this.#parts = undefined
  }

  async #answer(request: SpreadRequest): Promise<Uint8Array> {
    const { signer, table, clock } = this.#init
    const { period, op } = request
    const rule = table.ruleOf(period)
    const role = op === 'slips' || op === 'mixed' ? rule?.mixer : rule?.teller
    if (rule === undefined || role === undefined || !equalBytes(role.key, signer.key)) throw forbidden()
    if (clock.now() < (period + rule.spread.periodDays) * DAY_MS) throw again()
    switch (op) {
      case 'slips':
      case 'items':
        return await this.#take(rule, request)
      case 'mixed':
        return this.#toMixedReply(period, await this.#outputOf(period), request.part)
      case 'counted':
        return toCountedReply(await this.#outputOf(period))
    }
  }

  async #take(rule: SpreadRule, request: Batch): Promise<Uint8Array> {
    const { records, federation } = this.#init
    const { period, batch } = request
    const known = await records.get(period, 'batch')
    if (known !== undefined && !equalBytes(known, batch)) throw conflict()
    const isBegun = this.#working?.period === period || (await records.get(period, 'output')) !== undefined
    if (known !== undefined && isBegun) return encodeDone()
    // One run at a time, so that a node never holds two batches.
    if (this.#working !== undefined) throw again()
    if (request.op === 'items' && !isValidMixed(rule.mixer.key, federation, period, request))
      byteReader(new Uint8Array(0)).refuse("expected the mixer's signature")
    const secret = await records.get(period, 'key')
    if (secret === undefined) throw lost(period)
    const whole = this.#intake.take(period, request)
    if (whole === undefined) return encodeDone()
    await records.put(period, 'batch', batch)
    this.#begin(rule, request, whole, secret)
    return encodeDone()
  }

  #begin(rule: SpreadRule, { period, op }: Batch, whole: Uint8Array, secret: Uint8Array): void {
    const { signer, federation, random, records, table, log, publish } = this.#init
    const pause = async (): Promise<void> => {
      await this.#init.pause()
      if (this.#isStopped) throw new FederationError('ABORTED', 'the node stops')
    }
    const work: RoleWork = { signer, federation, period, rule, secret, random, pause }
    const run = async (): Promise<void> => {
      const output =
        op === 'slips' ? await mixBatch(work, whole, toTellerKey(table, rule, period)) : await countBatch(work, whole)
      await records.put(period, 'output', encodeOutput(output))
      log.info('spread.done', { role: op === 'slips' ? 'mixer' : 'teller', output: output.kind })
      if (output.kind === 'counted') publish(output.spread)
    }
    const done = run()
      .catch((error) => log.warn('spread.failed', { code: error instanceof FederationError ? error.code : 'INTERNAL' }))
      .finally(() => {
        secret.fill(0)
        this.#working = undefined
      })
    this.#working = { period, done }
  }

  #toMixedReply(period: number, output: RoleOutput, part: number): Uint8Array {
    if (output.kind !== 'mixed') throw tooFew(output)
    const { signature, items } = output
    if (this.#parts?.period !== period) this.#parts = { period, parts: batchToParts(items, SPREAD_ITEM_BYTES) }
    const wanted = this.#parts.parts[part] ?? byteReader(new Uint8Array(0)).refuse('expected a part that exists')
    return encodeMixedReply({ ...wanted, signature })
  }

  /** Throws BUSY before the output is on the disk. */
  async #outputOf(period: number): Promise<RoleOutput> {
    if (this.#output?.period === period) return this.#output.output
    const bytes = await this.#init.records.get(period, 'output')
    if (bytes === undefined) throw again()
    const output = decodeOutput(bytes)
    this.#output = { period, output }
    return output
  }
}

/** Throws BUSY while the teller's key is unknown here, because the mixer may have missed its gossip. */
function toTellerKey(table: RoleServiceInit['table'], { teller }: SpreadRule, period: number): Uint8Array {
  return table.keyOf(period, teller.key)?.slipKey ?? fail(again())
}

function toCountedReply(output: RoleOutput): Uint8Array {
  if (output.kind !== 'counted') throw tooFew(output)
  return encodeRosterReply(output.spread)
}

function tooFew(output: RoleOutput): FederationError<'TOO_FEW'> {
  const count = output.kind === 'too-few' ? output.count : 0
  return new FederationError('TOO_FEW', `${count} reporters contributed: the period is not counted`, { count })
}

function fail(error: FederationError): never {
  throw error
}

function forbidden(): FederationError<'FORBIDDEN'> {
  return new FederationError(
    'FORBIDDEN',
    'only the central peer may ask, and only the role that the roster draws answers',
  )
}

function again(): FederationError<'BUSY'> {
  return new FederationError('BUSY', 'the role has no output yet: ask again later', { retryAfterMs: AGAIN_MS })
}

function conflict(): FederationError<'SYNC_CONFLICT'> {
  return new FederationError('SYNC_CONFLICT', 'the role took another batch of this period: bring the same one again')
}

function lost(period: number): FederationError<'EPOCH_LOST'> {
  const epoch = periodToRulingEpoch(period)
  return new FederationError('EPOCH_LOST', 'the secret of the period is gone: its slips cannot be opened', { epoch })
}
