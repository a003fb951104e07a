/**
 * Counts inbound connections by address prefix, before any cryptography. PROTOCOL.md §6.5.
 * Only its own counters change; time is an argument. Addresses stay in memory and are never logged.
 */
import { type HostLimits, PREFIXES_MAX } from '../limits.ts'
import type { RequesterAddress } from './requester.ts'

export type Admission = 'admitted' | 'full' | 'pending-full' | 'prefix-full' | 'too-fast' | 'no-address'

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
   * Counts a connection as pending when the limits allow it. Each attempt, successful or not, costs a token of its prefix.
   * `isPaid`: the attempt has cost its token already, was refused, and repeats after another connection was closed.
   */
  admit({ prefix: prefixName, fence: fenceName }: RequesterAddress, nowMs: number, isPaid = false): Admission {
    if (prefixName === undefined || fenceName === undefined) return 'no-address'
    if (this.#counts.size >= PREFIXES_MAX) this.#forget(nowMs)
    if (this.#counts.size >= PREFIXES_MAX && !this.#counts.has(prefixName)) return 'full'
    const prefix = this.#refill(prefixName, nowMs)
    const fence = fenceName === prefixName ? prefix : this.#refill(fenceName, nowMs)
    this.#counts.set(prefixName, prefix)
    this.#counts.set(fenceName, fence)
    if (!isPaid && prefix.tokens < 1) return 'too-fast'
    if (!isPaid) prefix.tokens -= 1
    const { perPrefix, pendingPerPrefix, perFence, pendingPerFence, pending, connections } = this.#limits
    if (prefix.open >= perPrefix || prefix.pending >= pendingPerPrefix) return 'prefix-full'
    const isFence = fence !== prefix
    if (isFence && (fence.open >= perFence || fence.pending >= pendingPerFence)) return 'prefix-full'
    // Check the totals last, because the caller closes another connection after these two results.
    if (this.#pending >= pending) return 'pending-full'
    if (this.#open >= connections) return 'full'
    this.#open++
    this.#pending++
    for (const count of isFence ? [prefix, fence] : [prefix]) {
      count.open++
      count.pending++
    }
    return 'admitted'
  }

  /** Refuses new connections of this prefix for `punishMs`, after one of its connections was closed for abuse. */
  punish({ prefix }: RequesterAddress, nowMs: number): void {
    if (prefix === undefined || !this.#counts.has(prefix)) return
    this.#refill(prefix, nowMs).tokens = 1 - (this.#limits.punishMs / 1_000) * this.#limits.newPerSecond
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

/**
 * Admits a connection. When the table refuses it, `makeRoom` may close another connection; then the table decides once more.
 * Both listeners admit their connections here.
 */
export function admitOrReplace(
  table: ConnectionTable,
  requester: RequesterAddress,
  nowMs: number,
  makeRoom: (refusal: Admission) => boolean,
): boolean {
  const admission = table.admit(requester, nowMs)
  if (admission === 'admitted') return true
  return makeRoom(admission) && table.admit(requester, nowMs, true) === 'admitted'
}
