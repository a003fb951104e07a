/**
 * federation.json: the founding manifest. PROTOCOL.md §4.
 * Unknown keys are refused, so that two readers never understand two things; its canonical hash is the federation id.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import * as z from 'zod/mini'
import { bytesToHex, concatBytes, hexToBytes, utf8 } from './bytes.ts'
import {
  ADDRESSES_MAX,
  MANIFEST_MAX_BYTES,
  MEMBERS_MAX,
  OPERATORS_MAX,
  PATH_MAX,
  SYNC_REPLY_MAX_BYTES,
  SYNC_REQUEST_MAX_BYTES,
} from './constants.ts'
import { DEMO_PHRASE, demoSecret, isLoopback } from './demo-keys.ts'
import { FederationError } from './errors.ts'
import { isValidPeerId } from './peer-id.ts'
import { secretToSigner } from './signature.ts'

const whole = (min: number, max: number) => z.int().check(z.minimum(min), z.maximum(max))
const hex32 = z.string().check(z.regex(/^[0-9a-f]{64}$/))
const name = z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]{0,62}$/))
const address = z.string().check(z.regex(/^(\/[a-z0-9.:_-]+)+$/i), z.maxLength(256))
const peer = z.strictObject({
  peerId: z.string().check(z.maxLength(64), z.refine(isValidPeerId, 'expected the peer id of an Ed25519 key')),
  operator: name,
  addresses: z.array(address).check(z.minLength(1), z.maxLength(ADDRESSES_MAX)),
})
const list = <T extends z.core.SomeType>(item: T, max: number) => z.array(item).check(z.minLength(1), z.maxLength(max))

const schema = z.strictObject({
  version: z.literal(1),
  name: z.string().check(z.minLength(1), z.maxLength(80)),
  /** Present in a demo: the phrase from which all keys derive; how fast its time goes from the founding on. */
  demo: z.optional(
    z.strictObject({
      phrase: z.string().check(z.minLength(1), z.maxLength(200)),
      speed: z.optional(whole(1, 1_000)),
    }),
  ),
  founding: z.strictObject({ nonce: hex32, at: z.iso.datetime() }),
  parameters: z.strictObject({
    resolution: z.literal(12),
    blockSizesMin: z.tuple([z.literal(5), z.literal(10), z.literal(20), z.literal(40), z.literal(80)]),
    saltWindowMin: z.literal(180),
    saltsPerRequest: z.literal(90),
    /** What the federation salts with; DESIGN knows `oblivious` and `threshold`, this version runs `plain`. */
    salting: z.literal('plain'),
    quota: z.enum(['rolling', 'strict']),
    shards: whole(1, 4_096),
    replicas: whole(1, 15),
    threshold: z.literal(1),
    periodEpochs: whole(1, 65_000),
    reserveEpochs: whole(0, 65_000),
    retentionDays: whole(1, 3_660),
    /** Size classes of a sync request, ascending, and the one size of a reply, bytes. */
    syncRequestBytes: z.array(whole(512, SYNC_REQUEST_MAX_BYTES)).check(z.minLength(1), z.maxLength(8)),
    syncReplyBytes: whole(512, SYNC_REPLY_MAX_BYTES),
  }),
  core: z.strictObject({ simd: hex32, scalar: hex32 }),
  operators: list(z.strictObject({ name, key: hex32 }), OPERATORS_MAX),
  members: list(peer, MEMBERS_MAX),
  central: peer,
})

export type Manifest = z.infer<typeof schema>
export type Parameters = Manifest['parameters']
export type PeerEntry = Manifest['members'][number]

/** Parses and checks the text of a federation.json. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function parseManifest(text: string): Manifest {
  if (text.length > MANIFEST_MAX_BYTES) refuse('', `expected at most ${MANIFEST_MAX_BYTES} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    refuse('', 'it is not JSON', cause)
  }
  return assertManifest(value)
}

/** The same for a value that is parsed already. */
export function assertManifest(value: unknown): Manifest {
  const result = schema.safeParse(value)
  if (!result.success) {
    const issue = result.error.issues[0]!
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
    const reason = keys.length > 0 ? 'unknown key' : issue.message || 'unexpected value'
    refuse([...issue.path, ...keys.slice(0, 1)].join('.'), reason)
  }
  assertRelations(result.data)
  assertDemoIsLocal(result.data)
  return result.data
}

/** The federation id, 32 bytes: SHA-256 over a domain string and the manifest's deterministic CBOR. */
export function manifestToId(manifest: Manifest): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/federation'), encode(manifest)))
}

function assertRelations(manifest: Manifest): void {
  const { operators, members, central, parameters } = manifest
  unique(
    'operators',
    operators.map((o) => o.name),
  )
  unique(
    'operators',
    operators.map((o) => o.key),
  )
  unique(
    'members',
    [central, ...members].map((m) => m.peerId),
  )
  const known = new Set(operators.map((o) => o.name))
  for (const [i, member] of [central, ...members].entries()) {
    const path = i === 0 ? 'central.operator' : `members.${i - 1}.operator`
    if (!known.has(member.operator)) refuse(path, 'no such operator')
    if (i > 0 && member.operator === central.operator) refuse(path, 'the operator of the central peer holds no shard')
  }
  const holders = new Set(members.map((m) => m.operator)).size
  if (holders < parameters.replicas) {
    refuse('parameters.replicas', `members of ${holders} operators cannot make ${parameters.replicas} replicas`)
  }
  if (parameters.periodEpochs + parameters.reserveEpochs > 2 ** PATH_MAX) {
    refuse('parameters.reserveEpochs', `a sheet has at most ${2 ** PATH_MAX} lines`)
  }
  if (parameters.syncRequestBytes.some((size, i, all) => i > 0 && size <= all[i - 1]!)) {
    refuse('parameters.syncRequestBytes', 'expected ascending sizes')
  }
}

/** Published keys off the loopback would let anybody vote: refuse them even if the file no longer says demo. */
function assertDemoIsLocal({ demo, operators, members, central }: Manifest): void {
  const stranger = [central, ...members].flatMap(({ addresses }) => addresses).find((item) => !isLoopback(item))
  if (stranger === undefined) return
  const isPublished = ({ name, key }: Manifest['operators'][number]) =>
    bytesToHex(secretToSigner(demoSecret(DEMO_PHRASE, `operator/${name}`)).key) === key
  if (demo === undefined && !operators.some(isPublished)) return
  throw new FederationError(
    'ADDRESS_NOT_LOOPBACK',
    `demo keys are public and serve only on this machine, not on ${stranger}; found a federation of your own`,
    { address: stranger },
  )
}

function unique(path: string, values: string[]): void {
  if (new Set(values).size !== values.length) refuse(path, 'the same name, key or peer id twice')
}

function refuse(path: string, reason: string, cause?: unknown): never {
  const where = path === '' ? 'federation.json' : `federation.json: ${path}`
  throw new FederationError('MANIFEST_INVALID', `${where}: ${reason}`, { path, reason }, { cause })
}

/** Key of an operator by name, 32 bytes. */
export function operatorKey(manifest: Manifest, name: string): Uint8Array {
  const operator = manifest.operators.find((item) => item.name === name)
  if (operator === undefined) throw new RangeError(`"name" expected an operator of the manifest, got ${name}`)
  return hexToBytes(operator.key)
}
