/** Decodes the hex in which the package carries the Wasm modules. */

/** Uses the host's decoder where it exists, because a loop over characters is many times slower in a cold start. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  const host = globalThis as { Buffer?: { from(text: string, encoding: 'hex'): Uint8Array<ArrayBuffer> } }
  const decoder = Uint8Array as { fromHex?(text: string): Uint8Array<ArrayBuffer> }
  if (decoder.fromHex) return decoder.fromHex(text)
  if (host.Buffer) return host.Buffer.from(text, 'hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (toNibble(text, 2 * i) << 4) | toNibble(text, 2 * i + 1)
  return bytes
}

/** The value of a digit: the character codes of 0…9 end in 0…9, those of a…f in 1…6. */
function toNibble(text: string, i: number): number {
  const code = text.charCodeAt(i)
  return (code & 15) + (code > 64 ? 9 : 0)
}
