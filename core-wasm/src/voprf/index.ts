/** The entry `@geotrace/core-wasm/voprf`: salts that no single node knows. PROTOCOL.md §5.7, §5.8. */
export * from './group.ts'
export * from './shares.ts'
export * from './verifier.ts'
export * from './voprf.ts'
