/**
 * @geotrace/core-wasm/tokens: tokens that an issuer signs without seeing them (RFC 9474, RFC 9578). PROTOCOL.md §5.12.
 * @module
 */
export * from './blind-rsa.ts'
export * from './token.ts'
