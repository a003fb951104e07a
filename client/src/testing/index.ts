/**
 * For the tests of an app that embeds the client: a federation in memory on a simulated clock, in one call.
 *
 * ```ts
 * const federation = await fakeFederation()
 * const tracer = await openTracer(federation)
 * for (const fix of life({ lat: 52.52, lng: 13.405 }, federation.clock.now(), 60)) await tracer.record(fix)
 * await tracer.sync()
 * ```
 * @module
 */
export type { FakeCentral } from './fake-central.ts'
export * from './fake-federation.ts'
export { OPENED_SYNC } from './fake-relay.ts'
