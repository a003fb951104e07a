/**
 * @geotrace/node/testing: a real federation for tests, in this process on loopback. Also a central store without a disk,
 * the web app's server with its policy, and a federation on simulated machines. Every fault of the simulated federation
 * follows from a seed.
 */

export { memoryStore } from '../central/store/memory-store.ts'
export { type LocalFederation, type LocalFederationInit, startFederation } from '../local/local-federation.ts'
export { loopbackAddresses } from '../local/loopback.ts'
export { CONTENT_SECURITY_POLICY, startWebServer, type WebServer, type WebServerInit } from '../local/web-server.ts'
export { type Pace, REAL_PACE } from '../membership/pace.ts'
export { simulatedDisk } from './simulated/disk.ts'
export type { FaultKind } from './simulated/fault.ts'
export { FAULTS, pickFault } from './simulated/faults.ts'
export { type SimulatedFederation, simulatedFederation } from './simulated/federation.ts'
export { createMachine, type Life, type Machine } from './simulated/machine.ts'
export { type SeededRandom, seededRandom } from './simulated/seeded-random.ts'
