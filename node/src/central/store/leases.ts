/** The rules of leases, which all engines share. PROTOCOL.md §8. Pure. Throws LEASE_LOST. */
import { FederationError } from '@geotrace/core-wasm/wire'
import type { Attempts, CountedStep, Lease, LeasedWrites } from './central-store.ts'

/** The next lease after `known`; undefined while another holder has it. */
export function nextLease(
  known: Lease | undefined,
  name: string,
  holder: string,
  nowMs: number,
  ttlMs: number,
): Lease | undefined {
  if (known !== undefined && known.holder !== holder && known.until > nowMs) return undefined
  return { name, holder, fence: (known?.fence ?? 0) + 1, until: nowMs + ttlMs }
}

/** Throws LEASE_LOST unless `lease` is the last one that was given. */
export function assertLast(known: Lease | undefined, { name, fence }: Lease): void {
  if (known?.fence === fence) return
  throw new FederationError('LEASE_LOST', `another process has taken over the lease "${name}"`, { lease: name })
}

/** The writes of a lease's holder: each one in `run`, which asserts that the lease is the last one. */
export function leasedWrites(store: LeasedWrites, run: <T>(write: () => Promise<T>) => Promise<T>): LeasedWrites {
  return {
    putMarks: (changes) => run(() => store.putMarks(changes)),
    putProgress: (progress) => run(() => store.putProgress(progress)),
    putReport: (report) => run(() => store.putReport(report)),
    putRecord: (name, value) => run(() => store.putRecord(name, value)),
    closeEpoch: (epoch) => run(() => store.closeEpoch(epoch)),
    dropBefore: (day) => run(() => store.dropBefore(day)),
  }
}

/** Whether a deposit counts the attempt after `known`. */
export function isNext({ day, count }: Attempts, known: Attempts | undefined): boolean {
  return count === (known?.day === day ? known.count : 0) + 1
}

/** The value of a counter after a step; undefined when it would exceed the bound. */
export function afterStep(before: number, { add, max }: CountedStep): number | undefined {
  return before + add > max ? undefined : before + add
}
