/**
 * Counts inbound connections by address prefix, before any cryptography. PROTOCOL.md §6.5.
 * Only its own counters change; time is an argument. Addresses stay in memory and are never logged.
 */
import { type HostLimits, PREFIXES_MAX } from '../limits.ts'
import type { RequesterAddress } from './requester.ts'

/**
 * `full`, `fence-full`, `prefix-full`: too many open connections in all, of the /48, of the address. The same with
 * `pending` for unfinished handshakes.
 */
export type Admission =
  | 'admitted'
  | 'full'
  | 'fence-full'
  | 'prefix-full'
  | 'pending-full'
  | 'fence-pending-full'
  | 'prefix-pending-full'
  | 'too-fast'
  | 'no-address'

interface AdmitOptions {
  /** The attempt has cost its token already, was refused, and repeats after another connection was closed. */
  readonly isPaid?: boolean
  /** The handshake is over, so the bounds of unfinished handshakes do not apply. */
  readonly isUpgraded?: boolean
}

interface Count {
  open: number
  pending: number
  /** Token bucket of new connections. */
  tokens: number
  atMs: number
}

export class ConnectionTable {
  readonly #limits: HostLimits
  readonly #counts = new Map<string, Count>()
  #open = 0
  #pending = 0

  constructor(limits: HostLimits) {
    this.#limits = limits
  }

  get open(): number {
    return this.#open
  }

  /**
   * Counts a connection when the limits allow it: as pending, or as open if `isUpgraded`. Each attempt, successful or not,
   * costs a token of its prefix.
   */
  admit(
    { prefix: prefixName, fence: fenceName }: RequesterAddress,
    nowMs: number,
    options: AdmitOptions = {},
  ): Admission {
    if (prefixName === undefined || fenceName === undefined) return 'no-address'
    if (this.#counts.size >= PREFIXES_MAX) this.#forget(nowMs)
    if (this.#counts.size >= PREFIXES_MAX && !this.#counts.has(prefixName)) return 'full'
    const prefix = this.#refill(prefixName, nowMs)
    const fence = fenceName === prefixName ? undefined : this.#refill(fenceName, nowMs)
    this.#counts.set(prefixName, prefix)
    if (fence !== undefined) this.#counts.set(fenceName, fence)
    if (options.isPaid !== true && prefix.tokens < 1) return 'too-fast'
    if (options.isPaid !== true) prefix.tokens -= 1
    const isPending = options.isUpgraded !== true
    const refusal = this.#isFull(prefix, fence) ?? (isPending ? this.#isPendingFull(prefix, fence) : undefined)
    if (refusal !== undefined) return refusal
    this.#open++
    if (isPending) this.#pending++
    for (const count of fence === undefined ? [prefix] : [prefix, fence]) {
      count.open++
      if (isPending) count.pending++
    }
    return 'admitted'
  }

  /** The smallest group comes first, because a connection that leaves it makes room in the larger ones too. */
  #isFull(prefix: Count, fence: Count | undefined): Admission | undefined {
    const { perPrefix, perFence, connections } = this.#limits
    if (prefix.open >= perPrefix) return 'prefix-full'
    if (fence !== undefined && fence.open >= perFence) return 'fence-full'
    return this.#open >= connections ? 'full' : undefined
  }

  #isPendingFull(prefix: Count, fence: Count | undefined): Admission | undefined {
    const { pendingPerPrefix, pendingPerFence, pending } = this.#limits
    if (prefix.pending >= pendingPerPrefix) return 'prefix-pending-full'
    if (fence !== undefined && fence.pending >= pendingPerFence) return 'fence-pending-full'
    return this.#pending >= pending ? 'pending-full' : undefined
  }

  /** The handshake of a connection is finished. */
  upgraded(requester: RequesterAddress): void {
    this.#pending--
    for (const count of this.#countsOf(requester)) count.pending--
  }

  /** A connection is closed; `wasPending` if its handshake never finished. */
  closed(requester: RequesterAddress, wasPending: boolean): void {
    this.#open--
    if (wasPending) this.#pending--
    for (const count of this.#countsOf(requester)) {
      count.open--
      if (wasPending) count.pending--
    }
  }

  #countsOf({ prefix, fence }: RequesterAddress): Count[] {
    return [...new Set([prefix, fence])].filter((name) => name !== undefined).map((name) => this.#counts.get(name)!)
  }

  #refill(name: string, nowMs: number): Count {
    const { newBurst, newPerSecond } = this.#limits
    const count = this.#counts.get(name) ?? { open: 0, pending: 0, tokens: newBurst, atMs: nowMs }
    // A clock that steps back refills nothing and takes nothing away.
    const elapsedMs = Math.max(0, nowMs - count.atMs)
    count.tokens = Math.min(newBurst, count.tokens + (elapsedMs / 1000) * newPerSecond)
    count.atMs = nowMs
    return count
  }

  #forget(nowMs: number): void {
    for (const [name, count] of this.#counts) {
      if (count.open === 0 && this.#refill(name, nowMs).tokens >= this.#limits.newBurst) this.#counts.delete(name)
    }
  }
}

/** A connection may exceed the bounds of open connections and of handshakes; one closed connection makes room in each. */
const ROOM_TRIES = 2

/**
 * Admits a connection. When the table refuses it, `makeRoom` may close another connection; then the table decides again.
 * Both listeners admit their connections here.
 */
export function admitOrReplace(
  table: ConnectionTable,
  requester: RequesterAddress,
  nowMs: number,
  makeRoom: (refusal: Admission) => boolean,
  options: AdmitOptions = {},
): boolean {
  let admission = table.admit(requester, nowMs, options)
  for (let tries = 0; admission !== 'admitted' && tries < ROOM_TRIES; tries++) {
    if (!makeRoom(admission)) return false
    admission = table.admit(requester, nowMs, { ...options, isPaid: true })
  }
  return admission === 'admitted'
}
