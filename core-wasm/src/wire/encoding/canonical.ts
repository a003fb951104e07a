/**
 * Deterministic CBOR with a schema: what does not encode back to the same bytes is refused, so that a signed thing has
 * one encoding and one hash. PROTOCOL.md §1.
 */
import { decode, encode } from 'cborg'
import type * as z from 'zod/mini'
import { equalBytes } from './bytes.ts'

export type Refuse = (reason: string, cause?: unknown) => never

/** The value, checked; whatever is wrong goes to `refuse`. */
export function decodeCanonical<T>(bytes: Uint8Array, schema: z.ZodMiniType<T>, max: number, refuse: Refuse): T {
  if (bytes.length > max) refuse(`it is larger than ${max} bytes`)
  let value: unknown
  try {
    value = decode(bytes, { strict: true, rejectDuplicateMapKeys: true, allowUndefined: false, allowIndefinite: false })
  } catch (cause) {
    refuse('it is not CBOR', cause)
  }
  const result = schema.safeParse(value)
  if (!result.success) refuse(`${result.error.issues[0]!.path.join('.')}: ${result.error.issues[0]!.message}`)
  if (!equalBytes(encode(result.data), bytes)) refuse('its bytes are not canonical')
  return result.data
}
