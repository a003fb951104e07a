/**
 * For those who port the core or embed it: the reference model, the conformance suite and its samples. Needs `h3-js`,
 * which the core itself does not.
 * @module
 */
export * from './conformance.ts'
export * from './founding.ts'
export * from './merkle-tree.ts'
export { type Implementation, reference } from './reference.ts'
export * from './samples.ts'
export { vectors } from './vectors.ts'
