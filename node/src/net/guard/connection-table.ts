/**
 * Counts inbound connections by address prefix, before any cryptography. PROTOCOL.md §6.5.
 * Only its own counters change; time is an argument. Addresses stay in memory and are never logged.
 */
import { type HostLimits, PREFIXES_MAX } from '../limits.ts'
import type { RequesterAddress } from './requester.ts'

export type Admission = 'admitted' | 'full' | 'pending-full' | 'prefix-full' | 'too-fast' | 'no-address'

export interface ConnectionTable {
  readonly open: number
  /**
   * Counts a connection as pending when the limits allow it. Each attempt, successful or not, costs a token of its prefix.
   * `isPaid`: the attempt has cost its token already, was refused, and repeats after another connection was closed.
   */
  admit(requester: RequesterAddress, nowMs: number, isPaid?: boolean): Admission
  /** Refuses new connections of this prefix for `punishMs`, after one of its connections was closed for abuse. */
  punish(requester: RequesterAddress, nowMs: number): void
  /** The handshake of a connection is finished. */
  upgraded(requester: RequesterAddress): void
  /** A connection is closed; `pending` if its handshake never finished. */
  closed(requester: RequesterAddress, pending: boolean): void
}

interface Count {
  open: number
  pending: number
  /** Token bucket of new connections. */
  tokens: number
  atMs: number
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

export function connectionTable(limits: HostLimits): ConnectionTable {
  const counts = new Map<string, Count>()
  let open = 0
  let pending = 0

  const refill = (name: string, nowMs: number): Count => {
    const count = counts.get(name) ?? { open: 0, pending: 0, tokens: limits.newBurst, atMs: nowMs }
    // A clock that steps back refills nothing and takes nothing away.
    const elapsedMs = Math.max(0, nowMs - count.atMs)
    count.tokens = Math.min(limits.newBurst, count.tokens + (elapsedMs / 1000) * limits.newPerSecond)
    count.atMs = nowMs
    return count
  }
  const forget = (nowMs: number): void => {
    for (const [name, count] of counts) {
      if (count.open === 0 && refill(name, nowMs).tokens >= limits.newBurst) counts.delete(name)
    }
  }
  const both = ({ prefix, fence }: RequesterAddress): string[] =>
    [...new Set([prefix, fence])].filter((name) => name !== undefined)

  return {
    get open() {
      return open
    },
    admit(requester, nowMs, isPaid = false) {
      if (requester.prefix === undefined || requester.fence === undefined) return 'no-address'
      if (counts.size >= PREFIXES_MAX) forget(nowMs)
      if (counts.size >= PREFIXES_MAX && !counts.has(requester.prefix)) return 'full'
      const prefix = refill(requester.prefix, nowMs)
      const fence = requester.fence === requester.prefix ? prefix : refill(requester.fence, nowMs)
      counts.set(requester.prefix, prefix)
      counts.set(requester.fence, fence)
      if (!isPaid && prefix.tokens < 1) return 'too-fast'
      if (!isPaid) prefix.tokens -= 1
      if (prefix.open >= limits.perPrefix || prefix.pending >= limits.pendingPerPrefix) return 'prefix-full'
      const isFence = fence !== prefix
      if (isFence && (fence.open >= limits.perFence || fence.pending >= limits.pendingPerFence)) return 'prefix-full'
      // Check the totals last, because the caller closes another connection after these two results.
      if (pending >= limits.pending) return 'pending-full'
      if (open >= limits.connections) return 'full'
      open++
      pending++
      for (const count of isFence ? [prefix, fence] : [prefix]) {
        count.open++
        count.pending++
      }
      return 'admitted'
    },
    punish({ prefix }, nowMs) {
      if (prefix === undefined || !counts.has(prefix)) return
      refill(prefix, nowMs).tokens = 1 - (limits.punishMs / 1_000) * limits.newPerSecond
    },
    upgraded(requester) {
      pending--
      for (const name of both(requester)) counts.get(name)!.pending--
    },
    closed(requester, wasPending) {
      open--
      if (wasPending) pending--
      for (const name of both(requester)) {
        const count = counts.get(name)!
        count.open--
        if (wasPending) count.pending--
      }
    },
  }
}
