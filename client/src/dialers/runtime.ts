/** The kind of JavaScript runtime, for code that differs between Node and browsers. */
export function isNode(): boolean {
  const node = (globalThis as { process?: { versions?: { node?: string } } }).process
  return node?.versions?.node !== undefined
}
