/**
 * @geotrace/core-wasm/spread: counts of where reporters have been, and nothing about one of them. PROTOCOL.md §9.
 * @module
 */
export * from './clusters.ts'
export * from './counting.ts'
export * from './export.ts'
export * from './grid.ts'
export * from './mixing.ts'
export * from './noise.ts'
export * from './published.ts'
export * from './rule.ts'
export * from './slip.ts'
export * from './threshold.ts'
export * from './view.ts'
