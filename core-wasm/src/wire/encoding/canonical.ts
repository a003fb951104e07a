/**
 * Decodes deterministic CBOR with a schema. PROTOCOL.md §1. Bytes that the value does not encode back to are refused,
 * so that a signed value has one encoding and one hash. Errors go to the caller's `refuse`.
 */
import { decode, encode } from 'cborg'
import type * as z from 'zod/mini'
import { equalBytes } from './bytes.ts'

type Refuse = (reason: string, cause?: unknown) => never

/** The checked value. `refuse` throws when the bytes are too long, no CBOR, off the schema or not canonical. */
export function decodeCanonical<T>(bytes: Uint8Array, schema: z.ZodMiniType<T>, max: number, refuse: Refuse): T {
  if (bytes.length > max) refuse(`expected at most ${max} bytes, got ${bytes.length}`)
  let value: unknown
  try {
    value = decode(bytes, { strict: true, rejectDuplicateMapKeys: true, allowUndefined: false, allowIndefinite: false })
  } catch (cause) {
    refuse('expected CBOR', cause)
  }
  const result = schema.safeParse(value)
  if (!result.success) refuse(`${result.error.issues[0]!.path.join('.')}: ${result.error.issues[0]!.message}`)
  if (!equalBytes(encode(result.data), bytes)) refuse('expected canonical bytes: encode the value again')
  return result.data
}
