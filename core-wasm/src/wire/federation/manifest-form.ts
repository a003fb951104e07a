/**
 * federation.json, the founding manifest: its form and its id. PROTOCOL.md §4.1, §4.2. Unknown keys are refused, so that
 * two readers never read it in two ways. The canonical hash of everything but the openings is the federation id: the
 * manifest is frozen before its members open the nonces of their cards.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import * as z from 'zod/mini'
import {
  ACCURACY_DEFAULT_M,
  ACCURACY_MAX_M,
  ADDRESSES_MAX,
  APPS_MAX,
  EVALUATIONS_PER_EPOCH_MAX,
  MEMBERS_MAX,
  OPERATORS_MAX,
  REPLICAS_MAX,
  SHARDS_MAX,
  SYNC_REPLY_MAX_BYTES,
  SYNC_REQUEST_MAX_BYTES,
  TOKENS_PER_DAY_MAX,
} from '../constants.ts'
import { concatBytes, hexToBytes, utf8 } from '../encoding/bytes.ts'
import { isOrigin } from '../encoding/origin.ts'
import { isValidPeerId } from '../encoding/peer-id.ts'
import { REGIONS, SPREAD_AREAS_MAX, SPREAD_SLIPS_MAX } from '../spread-rules.ts'

const whole = (min: number, max: number) => z.int().check(z.minimum(min), z.maximum(max))
const hex32 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]{0,62}$/))
const address = z.string().check(z.regex(/^(\/[a-z0-9.:_-]+)+$/i), z.maxLength(256))
const peer = {
  peerId: z.string().check(z.maxLength(64), z.refine(isValidPeerId, 'expected the peer id of an Ed25519 key')),
  operator: name,
  addresses: z.array(address).check(z.minLength(1), z.maxLength(ADDRESSES_MAX)),
}
/** A peer with the commitment of its card, H("geotrace/nonce" ‖ nonce). */
const founder = z.strictObject({ ...peer, commitment: hex32 })
/** `seal`: the X25519 key to which devices seal their syncs. */
const centralFounder = z.strictObject({ ...peer, commitment: hex32, seal: hex32 })
/** Origins of web apps, ascending. */
export const appsSchema = z
  .array(
    z.string().check(z.maxLength(128), z.refine(isOrigin, 'expected an https origin, such as https://app.example.org')),
  )
  .check(z.maxLength(APPS_MAX), z.refine(isAscending, 'expected ascending origins, each once'))
/** `parameters.spread`: how a federation counts where reporters have been. spread-rules.ts has the relations. */
export const spreadSchema = z.strictObject({
  areas: z.array(whole(0, REGIONS - 1)).check(z.minLength(1), z.maxLength(SPREAD_AREAS_MAX)),
  resolution: whole(5, 8),
  periodDays: whole(1, 14),
  minimum: whole(20, SPREAD_SLIPS_MAX),
  epsilon: whole(100, 4_000),
})
/** The modulus of an issuer's key: 2,048 bits, and odd. */
const modulus = z.string().check(z.regex(/^[89a-f][0-9a-f]{510}[13579bdf]$/))
/**
 * `parameters.tokens`: how many of evaluations a device gets in a UTC day, and the issuer's key of each kind. The keys differ,
 * because a token counts for the kind of its key.
 */
export const tokensSchema = z
  .strictObject({ perDay: whole(1, TOKENS_PER_DAY_MAX), key: modulus, relayKey: modulus })
  .check(z.refine(({ key, relayKey }) => key !== relayKey, 'expected keys that differ'))
const list = <T extends z.core.SomeType>(item: T, max: number) => z.array(item).check(z.minLength(1), z.maxLength(max))

const frozenShape = {
  version: z.literal(1),
  name: z.string().check(z.minLength(1), z.maxLength(80)),
  /** Only in a demo: the phrase from which all keys derive, and the speed of its clock from the founding on. */
  demo: z.optional(
    z.strictObject({
      phrase: z.string().check(z.minLength(1), z.maxLength(200)),
      speed: z.optional(whole(1, 1_000)),
    }),
  ),
  founding: z.strictObject({ at: z.iso.datetime() }),
  parameters: z.strictObject({
    resolution: z.literal(12),
    blockSizesMin: z.tuple([z.literal(5), z.literal(10), z.literal(20), z.literal(40), z.literal(80)]),
    saltWindowMin: z.literal(180),
    saltsPerRequest: z.literal(90),
    salting: z.enum(['plain', 'threshold']),
    quota: z.enum(['rolling', 'strict']),
    shards: whole(1, SHARDS_MAX),
    replicas: whole(1, REPLICAS_MAX),
    /** Replicas that must answer under `threshold`; 1 under `plain`. */
    threshold: whole(1, REPLICAS_MAX),
    /** Batch classes of `threshold`: elements of one epoch in a request, ascending. */
    evaluations: z.array(whole(1, EVALUATIONS_PER_EPOCH_MAX)).check(z.minLength(1), z.maxLength(4)),
    /** Devices that one address may have: it multiplies the quota of evaluations. */
    devicesPerAddress: whole(1, 4_096),
    /** Evaluations that one node makes for one shard and epoch, for all requesters together. A quorum may amend it. */
    evaluationsPerShardEpoch: whole(1_000, 0xffffffff),
    periodEpochs: whole(1, 65_000),
    reserveEpochs: whole(0, 65_000),
    retentionDays: whole(1, 3_660),
    /** Devices refuse fixes that are less accurate, m. Absent: ACCURACY_DEFAULT_M. */
    accuracyM: z.optional(whole(ACCURACY_DEFAULT_M, ACCURACY_MAX_M)),
    /** Size classes of a sync request in bytes, ascending. All replies have `syncReplyBytes`. */
    syncRequestBytes: z.array(whole(512, SYNC_REQUEST_MAX_BYTES)).check(z.minLength(1), z.maxLength(8)),
    syncReplyBytes: whole(512, SYNC_REPLY_MAX_BYTES),
    /** Pages of these origins may send requests; other pages get no answer. */
    apps: appsSchema,
    /** Absent: no spread. A quorum may amend it. */
    spread: z.optional(spreadSchema),
    /** Absent: no tokens. A quorum may amend them. */
    tokens: z.optional(tokensSchema),
  }),
  core: z.strictObject({ simd: hex32, scalar: hex32 }),
  operators: list(z.strictObject({ name, key: hex32 }), OPERATORS_MAX),
  members: list(founder, MEMBERS_MAX),
  central: centralFounder,
}
export const frozenSchema = z.strictObject(frozenShape)
export const manifestSchema = z.strictObject({
  ...frozenShape,
  /** The nonces of the cards: those of `members` in order, then that of `central`. */
  openings: list(hex32, MEMBERS_MAX + 1),
})

function isAscending(items: readonly string[]): boolean {
  return items.every((item, i) => i === 0 || item > items[i - 1]!)
}

/** A manifest whose members have not opened their nonces yet. No peer and no device runs with one. */
export type FrozenManifest = z.infer<typeof frozenSchema>
export type Manifest = z.infer<typeof manifestSchema>
export type Parameters = Manifest['parameters']
export type TokenParameters = z.infer<typeof tokensSchema>
export type PeerEntry = Manifest['members'][number]

/** The federation id, 32 bytes: SHA-256 over a domain string and the deterministic CBOR of the frozen manifest. */
export function manifestToId(manifest: FrozenManifest & Partial<Manifest>): Uint8Array {
  const { openings, ...frozen } = manifest
  return sha256(concatBytes(utf8('geotrace/federation'), encode(frozen)))
}

/** Key of an operator by name, 32 bytes. */
export function operatorKey(manifest: FrozenManifest, name: string): Uint8Array {
  const operator = manifest.operators.find((item) => item.name === name)
  if (operator === undefined) throw new RangeError(`"name" expected an operator of the manifest, got ${name}`)
  return hexToBytes(operator.key)
}
