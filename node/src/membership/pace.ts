/**
 * How often a peer looks after its links and says that it is there. PROTOCOL.md §6.6, §7.5.
 * Real peers keep REAL_PACE; a simulation that lives through hours may take larger steps.
 */
export interface Pace {
  /** A missing link is tried this often. */
  readonly linkMs: number
  /** A link is probed when it was not for this long. */
  readonly probeMs: number
  /** A heartbeat, in a federation of up to twenty. */
  readonly presenceMs: number
}

/** A partition heals within seconds, and all peers together say little more than their twenty would. */
export const REAL_PACE: Pace = { linkMs: 2_000, probeMs: 5_000, presenceMs: 30_000 }
