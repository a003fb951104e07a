/**
 * The keys of the periods for which this member is drawn. PROTOCOL.md §9.7. A key is drawn on the day before its period. It goes
 * with all records of the period when the spread is published, at the latest 14 days after the period's end.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import {
  DAY_MS,
  equalBytes,
  KEY_BYTES,
  MINUTE_MS,
  type Signer,
  type SpreadKey,
  signSpreadKey,
} from '@geotrace/core-wasm/wire'
import { SPREAD_RUN_DAYS, type SpreadTable } from '../membership/spread-table.ts'
import type { Log } from '../platform/log.ts'
import type { RoleRecords } from './role-records.ts'

/**
 * Interval of the checks. The first one comes so long after the start, too. A node that lost its disk learns meanwhile from
 * others that it announced a key, and announces no second one.
 */
const CHECK_MS = 5 * MINUTE_MS
/** The longest period. A period that a new roster does not know any more is kept for this long. */
const PERIOD_MAX_DAYS = 14

interface PeriodKeysInit {
  readonly federation: Uint8Array
  readonly signer: Signer
  readonly table: Pick<SpreadTable, 'ruleOf' | 'keyOf' | 'spreadOf'>
  readonly records: RoleRecords
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  announce(key: SpreadKey): void
  /** The records of this period are removed. */
  forget(period: number): void
}

export class PeriodKeys {
  readonly #init: PeriodKeysInit
  #cancel = (): void => {}
  #checking: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(init: PeriodKeysInit) {
    this.#init = init
  }

  start(): void {
    this.#later()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#checking
  }

  #later(): void {
    const { clock, log } = this.#init
    this.#cancel = clock.setTimer(() => {
      this.#checking = this.check()
        .catch(() => log.warn('spread.keys-failed'))
        .finally(() => {
          if (!this.#isStopped) this.#later()
        })
    }, CHECK_MS)
  }

  /** Removes what is over, then draws or announces the key of the period that begins tomorrow. */
  async check(): Promise<void> {
    const { records, clock } = this.#init
    const today = Math.floor(clock.now() / DAY_MS)
    for (const period of await records.periods()) if (this.#isOver(period, today)) await this.#drop(period)
    await this.#prepare(today + 1)
  }

  async #drop(period: number): Promise<void> {
    await this.#init.records.drop(period)
    this.#init.forget(period)
  }

  #isOver(period: number, today: number): boolean {
    const { table } = this.#init
    const days = table.ruleOf(period)?.spread.periodDays ?? PERIOD_MAX_DAYS
    return table.spreadOf(period) !== undefined || today >= period + days + SPREAD_RUN_DAYS
  }

  async #prepare(period: number): Promise<void> {
    const { federation, signer, table, records, random, log, announce } = this.#init
    const rule = table.ruleOf(period)
    if (rule === undefined || ![rule.mixer, rule.teller].some(({ key }) => equalBytes(key, signer.key))) return
    const announced = table.keyOf(period, signer.key)
    let secret = await records.get(period, 'key')
    if (secret === undefined) {
      // Another disk had the secret. A second key would be evidence against this member.
      if (announced !== undefined) return
      secret = random(KEY_BYTES)
      await records.put(period, 'key', secret)
      log.info('spread.key-drawn')
    }
    if (announced === undefined) announce(signSpreadKey(signer, federation, period, secretToSealKey(secret)))
    secret.fill(0)
  }
}
