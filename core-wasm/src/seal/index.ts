/**
 * @geotrace/core-wasm/seal: sealing to a public key (RFC 9180), and the frames of the relay. PROTOCOL.md §7.6.
 * @module
 */
export * from './hpke.ts'
export * from './relay-frame.ts'
