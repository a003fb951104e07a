/** The form of an attack and of its outcome. PRIVACY.md cites the outcomes. */
import type { Lab } from './lab.ts'

/** A bound that must hold in every run. */
export interface Gate {
  readonly rule: string
  readonly holds: boolean
}
export interface Figure {
  readonly value: number
  readonly unit: string
  readonly gate?: Gate
  /** Further figures of the same run, by name. */
  readonly more?: Readonly<Record<string, number>>
}
/** The reason why an attack did not run. */
export interface NotRun {
  readonly notRun: string
}

export interface Attack {
  readonly name: string
  readonly title: string
  /** The attacker has this. */
  readonly attacker: string
  /** The meaning of the number. */
  readonly meaning: string
  /** The limit of the number, and the risk that stays under every setting. */
  readonly limit: string
  /** Runs in `npm test`. */
  readonly isQuick: boolean
  /** It gets a federation of its own with two people, because other attacks compute secrets in this process. */
  readonly isAlone?: boolean
  run(lab: Lab): Promise<Figure | NotRun>
}

export function atMost(value: number, bound: number, unit: string): Gate {
  return { rule: `at most ${bound} ${unit}`, holds: value <= bound }
}

export function atLeast(value: number, bound: number, unit: string): Gate {
  return { rule: `at least ${bound} ${unit}`, holds: value >= bound }
}

export function exactly(value: number, expected: number, unit: string): Gate {
  return { rule: `exactly ${expected} ${unit}`, holds: value === expected }
}
