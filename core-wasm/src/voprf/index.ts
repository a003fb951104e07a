/** The entry `@geotrace/core-wasm/voprf`: salts that no single node knows. PROTOCOL.md §5.7. */
export * from './shares.ts'
