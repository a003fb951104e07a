/** What kind of machine this is, where that decides. */
export function isNode(): boolean {
  const host = (globalThis as { process?: { versions?: { node?: string } } }).process
  return host?.versions?.node !== undefined
}
