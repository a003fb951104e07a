/**
 * @geotrace/node/testing: a real federation for tests, in this process on loopback, a store without a disk,
 * and the web app's server.
 */
export { type LocalFederation, type LocalFederationInit, startFederation } from './local-federation.ts'
export { memoryStore } from './store/memory-store.ts'
export { startWebServer, type WebServer, type WebServerInit } from './web-server.ts'
