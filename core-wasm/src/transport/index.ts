/**
 * @geotrace/core-wasm/transport: the bounds of a libp2p connection that node and client share. PROTOCOL.md §6.5. It loads
 * no part of libp2p; its users pass the functions that it wraps.
 * @module
 */
export * from './guarded-yamux.ts'
export * from './handshake.ts'
export * from './limits.ts'
export * from './websocket.ts'
export * from './work-meter.ts'
export * from './yamux-members.ts'
