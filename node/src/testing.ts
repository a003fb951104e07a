/**
 * @geotrace/node/testing: a real federation for tests, in this process on loopback, and a store without a disk.
 */
export { type LocalFederation, type LocalFederationInit, startFederation } from './local-federation.ts'
export { memoryStore } from './store/memory-store.ts'
