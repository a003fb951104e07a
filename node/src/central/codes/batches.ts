/**
 * Batches of report codes: all codes of one order. node/CENTRAL.md "Report codes". A batch has no record of its own; each code
 * names it. The quota of a worker counts the codes that this worker ordered in the UTC day. Throws QUOTA_SPENT, CODE_UNKNOWN.
 */
import { type Clock, oneAtATime, type Random } from '@geotrace/core-wasm'
import { bytesToHex, DAY_MS, FederationError } from '@geotrace/core-wasm/wire'
import type { CentralStore, CodeRecord } from '../store/central-store.ts'
import { timeToDay } from '../store/day.ts'

/** Two of ten thousand batches have the same name with a chance of 1 in 20,000. A repetition is drawn again. */
const NAME_BYTES = 5
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
  /** Runs `write` with the name of a new batch, unless the quota of the worker is spent. Throws QUOTA_SPENT. */
  order(count: number, worker: Worker | undefined, write: (batch: string) => Promise<void>): Promise<void>
  /** The newest batches, only those of one worker with `worker`. */
  list(worker?: string): Promise<CodeBatch[]>
  /** Revokes the open codes of a batch, and returns their number. Throws CODE_UNKNOWN. */
  revoke(batch: string, worker?: string): Promise<number>
  counts(): Promise<CodeCounts>
}

interface CodeBatchesInit {
  store: Pick<CentralStore, 'codes' | 'closeCode'>
  clock: Clock
  random: Random
}

export function codeBatches({ store, clock, random }: CodeBatchesInit): CodeBatches {
  const inTurn = oneAtATime()
  /** Codes by worker and UTC day of their order. Read once, then kept. */
  let ordered: { day: number; counts: Map<string, number>; names: Set<string> } | undefined

  const readOrdered = async () => {
    const day = timeToDay(clock.now())
    if (ordered?.day === day) return ordered
    const [counts, names] = [new Map<string, number>(), new Set<string>()]
    for await (const { issuedAt, worker, batch } of store.codes()) {
      if (batch !== undefined) names.add(batch)
      if (worker !== undefined && timeToDay(issuedAt) === day) counts.set(worker, (counts.get(worker) ?? 0) + 1)
    }
    ordered = { day, counts, names }
    return ordered
  }
  const newName = (names: ReadonlySet<string>): string => {
    for (;;) {
      const name = bytesToHex(random(NAME_BYTES))
      if (!names.has(name)) return name
    }
  }
  return {
    order: (count, worker, write) =>
      inTurn(async () => {
        const { day, counts, names } = await readOrdered()
        const before = worker === undefined ? 0 : (counts.get(worker.name) ?? 0)
        if (before + count > (worker?.perDay ?? Number.POSITIVE_INFINITY)) {
          const left = `${worker!.perDay! - before} of ${worker!.perDay} codes are left until midnight UTC`
          throw new FederationError('QUOTA_SPENT', left, { retryAfterMs: (day + 1) * DAY_MS - clock.now() })
        }
        const name = newName(names)
        await write(name)
        names.add(name)
        if (worker !== undefined) counts.set(worker.name, before + count)
      }),

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
