/**
 * Geo Trace core: turns a fix into cells, time blocks and risk points, and with secrets into risk hashes. Every machine
 * gets the same bits, because one WebAssembly module without imports computes everything. PROTOCOL.md is normative.
 *
 * ```ts
 * const core = await loadCore()
 * const points = core.fixesToRiskPoints([{ lat: 51.5007, lng: -0.1246, at: 1_750_000_000_000 }], 'plain')
 * const hashes = core.hashRiskPoints(points, await saltsFor(points.needed))
 * ```
 * @module
 */

export { type Clock, fastClock, type SimulatedClock, simulatedClock, systemClock } from './clock.ts'
export { epochOf } from './core/blocks.ts'
export { type Core, loadCore } from './core/core.ts'
export { type Build, CORE_SHA256, type CoreOptions } from './core/instance.ts'
export { REGION_COUNT } from './core/regions.ts'
export * from './domain.ts'
export { polyfillPromise } from './polyfill.ts'
export type { Random } from './random.ts'
export { type Reopening, reopening } from './reopening.ts'
export { type OneAtATime, oneAtATime, type Turns, turns } from './turns.ts'
export { type ErrorCode, FederationError, isFederationError } from './wire/errors.ts'
