/** Base64 as bytes: how the modules travel in the package. */

/** By the host's own decoder where there is one: a loop over characters is a hundred times slower in a cold start. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const host = globalThis as { Buffer?: { from(text: string, encoding: 'base64'): Uint8Array<ArrayBuffer> } }
  const decoder = Uint8Array as { fromBase64?(text: string): Uint8Array<ArrayBuffer> }
  if (decoder.fromBase64) return decoder.fromBase64(text)
  if (host.Buffer) return host.Buffer.from(text, 'base64')
  const characters = atob(text)
  const bytes = new Uint8Array(characters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i)
  return bytes
}
