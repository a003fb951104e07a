/** A kind of fault: what it is called, how often it is drawn, and what it does. CONTRIBUTING "Simulation". */
import type { SimulatedFederation } from './federation.ts'
import type { SeededRandom } from './seeded-random.ts'

export interface FaultInit {
  federation: SimulatedFederation
  random: SeededRandom
  /** All machines, those of devices too, by name. */
  machines: readonly string[]
  /** When everything must be well again. */
  healMs: number
}

export interface FaultKind {
  readonly name: string
  /** How often it is drawn, against the others. */
  readonly weight: number
  /** Begins now, and sees to its own end. */
  strike(init: FaultInit): void
}
