/**
 * @geotrace/core-wasm/wire: every byte that crosses a wire or is signed, and the rules both ends must share.
 * No module here can name a latitude, a cell or a fix, so none can send one. Normative text: PROTOCOL.md.
 */
export * from './bytes.ts'
export * from './constants.ts'
export * from './demo-keys.ts'
export * from './errors.ts'
export * from './manifest.ts'
export * from './merkle.ts'
export * from './peer-id.ts'
export * from './protocols.ts'
export * from './roster.ts'
export * from './roster-exchange.ts'
export * from './roster-rules.ts'
export * from './salt.ts'
export * from './salt-check.ts'
export * from './seeds.ts'
export * from './sheet.ts'
export * from './signature.ts'
export * from './status.ts'
export * from './sync.ts'
export * from './window.ts'
