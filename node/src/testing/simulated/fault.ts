/** A kind of fault: its name, how often a history draws the kind, and its effect. CONTRIBUTING "Simulation". */
import type { SimulatedFederation } from './federation.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface FaultInit {
  federation: SimulatedFederation
  random: SeededRandom
  /** The names of all machines, devices included. */
  machines: readonly string[]
  /** The time at which every fault must be over, Unix ms. */
  healMs: number
}

export interface FaultKind {
  readonly name: string
  /** How often a history draws this kind, relative to the other kinds. */
  readonly weight: number
  /** Begins the fault now and schedules its end, at `healMs` at the latest. */
  strike(init: FaultInit): void
}

/** Calls `end` after `ms`, or at `healMs` when that is earlier. */
export function during({ federation: { scheduler }, healMs }: FaultInit, ms: number, end: () => void): void {
  scheduler.after(Math.max(0, Math.min(ms, healMs - scheduler.nowMs)), end)
}

/**
 * Draws the node that is to lie in a way that can be proven, and notes it. Every shard keeps t honest replicas, because
 * devices need as many, and has at most t − 1 liars when t > 1. Undefined when none of the nodes may lie.
 */
export function pickLiar<P extends { readonly name: string }>(
  { federation: { lied, manifest }, random }: FaultInit,
  nodes: readonly P[],
): P | undefined {
  const { replicas, threshold } = manifest.parameters
  const isFull = lied.size >= Math.min(replicas - threshold, threshold === 1 ? replicas : threshold - 1)
  const some = isFull ? nodes.filter(({ name }) => lied.has(name)) : nodes
  if (some.length === 0) return undefined
  const node = random.pick(some)
  lied.add(node.name)
  return node
}
