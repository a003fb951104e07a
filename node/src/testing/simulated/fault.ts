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
