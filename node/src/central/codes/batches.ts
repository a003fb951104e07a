/**
 * Batches of report codes: all codes of one order. node/CENTRAL.md "Report codes". A batch has no record of its own; each code
 * names it. The store counts the codes that a worker ordered in the UTC day. Throws QUOTA_SPENT, CODE_UNKNOWN.
 */
import type { Clock, Random } from '@geotrace/core-wasm'
import { bytesToHex, DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import type { CentralStore, CodeRecord } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

/** Two of ten thousand batches have the same name with a chance of 1 in 20,000. A repetition is drawn again. */
const NAME_BYTES = 5
/** A worker without a quota is counted up to here. */
const COUNT_MAX = 0xffffffff
/** Batches in a list, the newest first. */
const LISTED_MAX = 1_000
/** Codes that are revoked at the same time. */
const CLOSED_TOGETHER = 100

export interface CodeCounts {
  open: number
  spent: number
  expired: number
  revoked: number
}
export interface CodeBatch extends Readonly<CodeCounts> {
  readonly batch: string
  readonly label: string | undefined
  readonly worker: string | undefined
  readonly issuedAt: number
  readonly expiresAt: number
}
/** The account that gives an order; `perDay` is undefined without a quota. */
export interface Worker {
  readonly name: string
  readonly perDay?: number
}

export interface CodeBatches {
  /**
   * The name of a new batch of so many codes, which expire on the UTC day `until`. Counts them for the worker. Throws
   * QUOTA_SPENT.
   */
  order(count: number, until: number, worker: Worker | undefined): Promise<string>
  /** The newest batches, only those of one worker with `worker`. */
  list(worker?: string): Promise<CodeBatch[]>
  /** Revokes the open codes of a batch, and returns their number. Throws CODE_UNKNOWN. */
  revoke(batch: string, worker?: string): Promise<number>
  counts(): Promise<CodeCounts>
}

interface CodeBatchesInit {
  store: Pick<CentralStore, 'codes' | 'closeCode' | 'count'>
  clock: Clock
  random: Random
}

export function codeBatches({ store, clock, random }: CodeBatchesInit): CodeBatches {
  /** Counts codes of a worker. Throws QUOTA_SPENT. */
  const spend = async ({ name, perDay = COUNT_MAX }: Worker, count: number): Promise<void> => {
    const day = timeToDay(clock.now())
    const step = { name: `codes/${day}/${name}`, until: day, max: perDay }
    if ((await store.count({ ...step, add: count })) !== undefined) return
    const left = perDay - ((await store.count({ ...step, add: 0 })) ?? perDay)
    const text = `${left} of ${perDay} codes are left until midnight UTC`
    throw new FederationError('QUOTA_SPENT', text, { retryAfterMs: (day + 1) * DAY_MS - clock.now() })
  }
  return {
    async order(count, until, worker) {
      if (worker !== undefined) await spend(worker, count)
      for (;;) {
        const batch = bytesToHex(random(NAME_BYTES))
        if ((await store.count({ name: `batch/${batch}`, until, add: 1, max: 1 })) !== undefined) return batch
      }
    },

    async list(worker) {
      const batches = new Map<string, CodeBatch & CodeCounts>()
      for await (const code of store.codes()) {
        if (code.batch === undefined || (worker !== undefined && code.worker !== worker)) continue
        const known = batches.get(code.batch) ?? toBatch(code.batch, code)
        batches.set(code.batch, known)
        known[codeToState(code, clock.now())]++
      }
      return [...batches.values()].sort((a, b) => b.issuedAt - a.issuedAt).slice(0, LISTED_MAX)
    },

    async revoke(batch, worker) {
      const found: CodeRecord[] = []
      for await (const code of store.codes()) if (code.batch === batch) found.push(code)
      if (found.length === 0 || (worker !== undefined && found[0]!.worker !== worker)) {
        throw new FederationError('CODE_UNKNOWN', `no batch ${batch}; see geotrace codes list`)
      }
      let revoked = 0
      const open = found.filter((code) => codeToState(code, clock.now()) === 'open')
      for (let i = 0; i < open.length; i += CLOSED_TOGETHER) {
        const closed = open.slice(i, i + CLOSED_TOGETHER).map((code) => store.closeCode({ ...code, state: 'revoked' }))
        revoked += (await Promise.all(closed)).filter(Boolean).length
      }
      return revoked
    },

    async counts() {
      const counts = { open: 0, spent: 0, expired: 0, revoked: 0 }
      for await (const code of store.codes()) counts[codeToState(code, clock.now())]++
      return counts
    },
  }
}

/** An open code whose time is over has expired. */
export function codeToState({ state, expiresAt }: CodeRecord, nowMs: number): keyof CodeCounts {
  return state === 'open' && expiresAt <= nowMs ? 'expired' : state
}

function toBatch(batch: string, { label, worker, issuedAt, expiresAt }: CodeRecord): CodeBatch & CodeCounts {
  return { batch, label, worker, issuedAt, expiresAt, open: 0, spent: 0, expired: 0, revoked: 0 }
}
