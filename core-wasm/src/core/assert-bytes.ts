/** Checks byte arguments. Throws TypeError or RangeError in one form: `"secret" expected 32 bytes, got 31`. */

export function assertBytes(name: string, value: Uint8Array, length?: number): void {
  // By tag instead of `instanceof`, which refuses a Uint8Array of another realm.
  if (Object.prototype.toString.call(value) !== '[object Uint8Array]') {
    throw new TypeError(`"${name}" expected a Uint8Array, got ${typeof value}`)
  }
  if (length !== undefined && value.length !== length) {
    throw new RangeError(`"${name}" expected ${length} bytes, got ${value.length}`)
  }
}
