/**
 * How often a peer checks its links and sends its presence. PROTOCOL.md §6.6, §7.5.
 * Real peers use REAL_PACE; a simulation of many hours may take larger steps.
 */
export interface Pace {
  /** Interval between two tries of a missing link. */
  readonly linkMs: number
  /** A link is probed when nothing came on it, and no probe went out, for this long. */
  readonly probeMs: number
  /** Interval between two presences in a federation of up to twenty members. */
  readonly presenceMs: number
}

/** Links heal within seconds after a partition, and all peers together send little more than twenty would. */
export const REAL_PACE: Pace = { linkMs: 2_000, probeMs: 5_000, presenceMs: 30_000 }
