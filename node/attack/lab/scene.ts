/** The people whom the attacks look for: where each of them was in one hour, and the area that an attacker searches. */
import type { Fix } from '@geotrace/core-wasm'

export interface LabPerson {
  readonly id: string
  /** One fix for each block of five minutes, ascending. */
  readonly fixes: readonly Fix[]
  /** Whether the person moved in this hour. */
  readonly isMoving: boolean
}
export interface Position {
  readonly lat: number
  readonly lng: number
}
export interface Scene {
  readonly name: string
  readonly people: readonly LabPerson[]
  /** Unix ms of the start of the hour. It lies in one epoch. */
  readonly from: number
  /** Positions that together touch every cell that the attacker considers, the most popular first. */
  readonly area: readonly Position[]
}

export const FIXES_PER_HOUR = 12
export const FIX_MS = 5 * 60_000
/** Degrees of latitude in a metre. */
export const METRE = 1 / 111_195
