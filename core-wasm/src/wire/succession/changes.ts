/**
 * Signed changes to a federation. PROTOCOL.md §4.8. A change is portable: a joiner sends it to its sponsors as a file,
 * gossip spreads the same bytes, and a roster carries them. Throws CHANGE_INVALID.
 *
 * - join: a node of a new operator with sponsors, or of a known operator with that operator's signature
 * - leave: a node, or an operator with all its nodes
 * - move: a node's new addresses
 * - seal: the central peer's new seal key, signed by the key of its peer id
 * - rotate: an operator's new key, signed by the old key or, when the old key is lost, by a quorum
 * - expel: a node or an operator, by a quorum
 * - amend: core hashes, shards, replicas, evaluations, origins of web apps, the spread, the release, the tokens, by a
 *   quorum
 * - lied: a node or an operator whose signed contradiction every voter has seen; `evidence` is its hash
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import * as z from 'zod/mini'
import {
  ADDRESSES_MAX,
  CHANGE_MAX_BYTES,
  HASH_BYTES,
  KEY_BYTES,
  REPLICAS_MAX,
  SHARDS_MAX,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { bytesToHex, concatBytes, utf8 } from '../encoding/bytes.ts'
import { decodeCanonical } from '../encoding/canonical.ts'
import { isValidSignature, type Signer, signContent } from '../encoding/signature.ts'
import { FederationError } from '../errors.ts'
import { appsSchema, spreadSchema, tokensSchema } from '../federation/manifest-form.ts'

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length, `expected ${length} bytes`)
const key = bytes(KEY_BYTES)
const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]{0,62}$/))
const address = z.string().check(z.regex(/^(\/[a-z0-9.:_-]+)+$/i), z.maxLength(256))
const addresses = z.array(address).check(z.minLength(1), z.maxLength(ADDRESSES_MAX))
const whole = (min: number, max: number) => z.int().check(z.minimum(min), z.maximum(max))
/** When the change was proposed, Unix ms. Of two moves of a node, two amendments and two seals the later counts. */
const at = whole(0, Number.MAX_SAFE_INTEGER)
/** The last epoch at which a roster with this change may begin. */
const until = whole(0, 0xffffffff)

const changeSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('join'), until, operator: name, operatorKey: key, key, addresses }),
  z.strictObject({ kind: z.literal('leave'), until, key }),
  z.strictObject({ kind: z.literal('move'), at, until, key, addresses }),
  z.strictObject({ kind: z.literal('rotate'), until, from: key, to: key }),
  z.strictObject({ kind: z.literal('expel'), until, key }),
  z.strictObject({
    kind: z.literal('amend'),
    at,
    until,
    core: z.nullable(z.strictObject({ simd: bytes(HASH_BYTES), scalar: bytes(HASH_BYTES) })),
    shards: z.nullable(whole(1, SHARDS_MAX)),
    replicas: z.nullable(whole(1, REPLICAS_MAX)),
    /** `evaluationsPerShardEpoch` of the roster. */
    evaluations: z.nullable(whole(1_000, 0xffffffff)),
    apps: z.nullable(appsSchema),
    /** Absent: as before. Null: no spread any more. */
    spread: z.optional(z.nullable(spreadSchema)),
    /** The id of a release. Absent: as before. Null: no release any more. */
    release: z.optional(z.nullable(bytes(HASH_BYTES))),
    /** Absent: as before. Null: no tokens any more. */
    tokens: z.optional(z.nullable(tokensSchema)),
  }),
  z.strictObject({ kind: z.literal('lied'), until, key, evidence: bytes(HASH_BYTES) }),
  z.strictObject({ kind: z.literal('seal'), at, until, seal: key }),
])
const signedSchema = z.strictObject({
  federation: bytes(HASH_BYTES),
  change: changeSchema,
  signatures: z.array(z.strictObject({ key, signature: bytes(SIGNATURE_BYTES) })),
})

export type Change = z.infer<typeof changeSchema>
export type ChangeKind = Change['kind']
export interface ChangeSignature {
  key: Uint8Array
  signature: Uint8Array
}
export interface SignedChange {
  federation: Uint8Array
  change: Change
  /** Ascending by key, one for each key. */
  signatures: ChangeSignature[]
}

/** A change without signatures. */
export function newChange(federation: Uint8Array, change: Change): SignedChange {
  return { federation, change, signatures: [] }
}

/** The id of a change, 32 bytes. Its signatures do not alter the id. */
export function changeToId({ federation, change }: SignedChange): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/change'), federation, encode(change)))
}

/** The same change with the signer's signature. A signature that the key gave before stays. */
export function signChange(signed: SignedChange, signer: Signer): SignedChange {
  const signature = signContent(signer, 'geotrace/change', changeToId(signed))
  return addSignatures(signed, [{ key: signer.key, signature }])
}

/** The same change with the signatures of both, in order. */
export function addSignatures(signed: SignedChange, more: readonly ChangeSignature[]): SignedChange {
  const byKey = new Map([...more, ...signed.signatures].map((item) => [bytesToHex(item.key), item]))
  const signatures = [...byKey].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item)
  return { ...signed, signatures }
}

function isValidChangeSignature(signed: SignedChange, { key: signer, signature }: ChangeSignature): boolean {
  return isValidSignature(signer, 'geotrace/change', changeToId(signed), signature)
}

export function encodeChange(signed: SignedChange): Uint8Array {
  const encoded = encode(signed)
  if (encoded.length > CHANGE_MAX_BYTES) {
    throw new RangeError(`change expected at most ${CHANGE_MAX_BYTES} bytes, got ${encoded.length}`)
  }
  return encoded
}

/** Decodes only; `assertSigned` checks the signatures. Throws CHANGE_INVALID. */
export function decodeChange(encoded: Uint8Array): SignedChange {
  const signed = decodeCanonical(encoded, signedSchema, CHANGE_MAX_BYTES, invalid)
  const keys = signed.signatures.map((item) => bytesToHex(item.key))
  if (keys.some((item, i) => i > 0 && item <= keys[i - 1]!))
    invalid('expected signatures in the order of their keys, each once')
  return signed
}

/** Throws CHANGE_INVALID unless every signature is valid. */
export function assertSigned(signed: SignedChange): void {
  if (!signed.signatures.every((item) => isValidChangeSignature(signed, item)))
    invalid('a signature fails: collect the signatures again')
}

function invalid(reason: string, cause?: unknown): never {
  throw new FederationError('CHANGE_INVALID', `change: ${reason}`, { reason }, { cause })
}
