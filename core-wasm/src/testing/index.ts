/**
 * For developers who port or embed the core: the reference model, the conformance suite, its samples, and a federation
 * in memory. It needs `h3-js`; the core itself does not.
 * @module
 */
export * from './conformance.ts'
export * from './evaluations.ts'
export * from './founding.ts'
export * from './merkle-tree.ts'
export { type Implementation, reference } from './reference.ts'
export * from './samples.ts'
export * from './spreads.ts'
export { vectors } from './vectors.ts'
export { voprfVectors } from './voprf-vectors.ts'
