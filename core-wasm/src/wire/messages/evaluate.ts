/**
 * /geotrace/evaluate/1: blinded elements evaluated under a replica's share, with a proof for each epoch. PROTOCOL.md §7.7.
 *
 *  struct EvaluateRequest {          struct EvaluateAnswer {
 *    u8  version; // 1                 u8  status;              // 0; otherwise u32 number and the end
 *    u8  suite;   // 1                 u64 time;                // the node's clock, Unix ms
 *    u8  roster[8]; u16 shard;         { u8 element[B][32]; u8 c[32]; u8 s[32];
 *    u8  flags;   // bit 0: keys, 1: token { u8 key[C][32]; u8 depth; u8 path[depth][32] } [if keys] } [epochs];
 *    u8  batch;   // B, 1..36           u8  signature[64];       // over H(request) ‖ all before it
 *    u8  epochs;  // 1..5            }
 *    u32 epoch[epochs];              // ascending
 *    u8  element[epochs][B][32];
 *    u8  token[354]; // if token
 *  }
 * Elements are blinded, so no field can name a place. Throws MESSAGE_MALFORMED, VERSION_UNKNOWN, SUITE_UNKNOWN, BATCH_REFUSED.
 */
import {
  ELEMENT_BYTES,
  EPOCHS_PER_ANSWER_MAX,
  EVALUATE_ANSWER_MAX_BYTES,
  EVALUATE_REQUEST_MAX_BYTES,
  EVALUATIONS_PER_EPOCH_MAX,
  HASH_BYTES,
  PATH_MAX,
  PROTOCOL_VERSION,
  ROSTER_NAME_BYTES,
  SIGNATURE_BYTES,
  TOKEN_BYTES,
} from '../constants.ts'
import { type ByteReader, byteReader, byteWriter } from '../encoding/bytes.ts'
import { STATUS_OK, throwRefusal } from '../encoding/status.ts'
import { assertVersion } from '../encoding/version.ts'
import { FederationError } from '../errors.ts'

const SUITE_THRESHOLD = 1
const WANTS_KEYS = 1
const HAS_TOKEN = 2
const PROOF_BYTES = 2 * ELEMENT_BYTES

export interface EvaluateRequest {
  roster: Uint8Array
  shard: number
  /** Whether the answer carries the part keys of each epoch. */
  wantsKeys: boolean
  /** Ascending. */
  epochs: number[]
  /** Blinded, 32 bytes each, equally many for each epoch: a batch class of the manifest. */
  elements: Uint8Array[][]
  /** The token that opens the bucket of a device (§5.12). Without one the requester's address is charged. */
  token?: Uint8Array | undefined
}
/** The keys of all parts for one epoch, and the Merkle path that proves them. */
export interface PartKeys {
  keys: Uint8Array[]
  path: Uint8Array[]
}
export interface EpochEvaluation {
  evaluated: Uint8Array[]
  /** c ‖ s of RFC 9497. */
  proof: Uint8Array
  partKeys: PartKeys | undefined
}
export interface EvaluateAnswer {
  time: number
  epochs: EpochEvaluation[]
  signature: Uint8Array
}
/** The counts that a request fixes for its answer. */
interface EvaluateShape {
  epochs: number
  batch: number
  /** Parts of the shard whose keys the answer carries; 0 when the request asks for no keys. */
  keys: number
}

export function requestToShape({ epochs, elements, wantsKeys }: EvaluateRequest, parts: number): EvaluateShape {
  return { epochs: epochs.length, batch: elements[0]!.length, keys: wantsKeys ? parts : 0 }
}

/** Throws RangeError unless 1 to 5 ascending epochs have equally many elements, at most 36. */
export function encodeEvaluateRequest(request: EvaluateRequest): Uint8Array {
  const { roster, shard, wantsKeys, epochs, elements, token } = request
  const size = elements[0]?.length ?? 0
  if (epochs.length < 1 || epochs.length > EPOCHS_PER_ANSWER_MAX || elements.length !== epochs.length) {
    throw new RangeError(`"epochs" expected 1..${EPOCHS_PER_ANSWER_MAX} items with elements, got ${epochs.length}`)
  }
  if (size < 1 || size > EVALUATIONS_PER_EPOCH_MAX || elements.some((own) => own.length !== size)) {
    throw new RangeError(`"elements" expected 1..${EVALUATIONS_PER_EPOCH_MAX} items for each epoch, equally many`)
  }
  const writer = byteWriter(EVALUATE_REQUEST_MAX_BYTES).u8(PROTOCOL_VERSION).u8(SUITE_THRESHOLD)
  writer.bytes(roster, ROSTER_NAME_BYTES).u16(shard)
  writer
    .u8((wantsKeys ? WANTS_KEYS : 0) | (token ? HAS_TOKEN : 0))
    .u8(size)
    .u8(epochs.length)
  for (const [i, epoch] of epochs.entries()) {
    if (i > 0 && epochs[i - 1]! >= epoch) throw new RangeError('"epochs" expected ascending and distinct')
    writer.u32(epoch)
  }
  for (const element of elements.flat()) writer.bytes(element, ELEMENT_BYTES)
  if (token !== undefined) writer.bytes(token, TOKEN_BYTES)
  return writer.finish()
}

/** Decodes only. Whether the batch is a class of the manifest and the elements are elements is checked elsewhere. */
export function decodeEvaluateRequest(bytes: Uint8Array): EvaluateRequest {
  const reader = byteReader(bytes)
  assertVersion(reader.u8())
  const suite = reader.u8()
  if (suite !== SUITE_THRESHOLD)
    throw new FederationError('SUITE_UNKNOWN', `expected salting suite ${SUITE_THRESHOLD}, got ${suite}`, { suite })
  const roster = reader.bytes(ROSTER_NAME_BYTES)
  const shard = reader.u16()
  const flags = reader.u8()
  if (flags > (WANTS_KEYS | HAS_TOKEN)) reader.refuse(`expected no flags but bits 0 and 1, got ${flags}`)
  const batch = reader.u8()
  if (batch < 1 || batch > EVALUATIONS_PER_EPOCH_MAX) throw batchRefused(batch)
  const count = reader.u8()
  if (count < 1 || count > EPOCHS_PER_ANSWER_MAX)
    reader.refuse(`expected 1 to ${EPOCHS_PER_ANSWER_MAX} epochs, got ${count}`)
  const epochs = Array.from({ length: count }, () => reader.u32())
  if (epochs.some((epoch, i) => i > 0 && epochs[i - 1]! >= epoch)) reader.refuse('expected ascending epochs, each once')
  const elements = epochs.map(() => readAll(reader, batch))
  const token = (flags & HAS_TOKEN) === 0 ? undefined : reader.bytes(TOKEN_BYTES)
  reader.end()
  return { roster, shard, wantsKeys: (flags & WANTS_KEYS) !== 0, epochs, elements, token }
}

/** The error of a batch whose size is not that of its class. */
export function batchRefused(count: number): FederationError<'BATCH_REFUSED'> {
  return new FederationError(
    'BATCH_REFUSED',
    `expected a batch class of the manifest, got ${count} elements for an epoch: pad the batch to a class`,
    { count },
  )
}

/** The answer without its signature, which is over `answerContent(request, unsigned)`. */
export function encodeUnsignedEvaluation({ time, epochs }: Omit<EvaluateAnswer, 'signature'>): Uint8Array {
  const writer = byteWriter(EVALUATE_ANSWER_MAX_BYTES - SIGNATURE_BYTES)
    .u8(STATUS_OK)
    .time(time)
  for (const { evaluated, proof, partKeys } of epochs) {
    for (const element of evaluated) writer.bytes(element, ELEMENT_BYTES)
    writer.bytes(proof, PROOF_BYTES)
    if (partKeys === undefined) continue
    for (const key of partKeys.keys) writer.bytes(key, ELEMENT_BYTES)
    writer.u8(partKeys.path.length)
    for (const sibling of partKeys.path) writer.bytes(sibling, HASH_BYTES)
  }
  return writer.finish()
}

/** Decodes only; `evaluationToLie` checks the answer. Throws the refusal's error, MESSAGE_MALFORMED. */
export function decodeEvaluateAnswer(
  bytes: Uint8Array,
  shape: EvaluateShape,
): EvaluateAnswer & { unsigned: Uint8Array } {
  const reader = byteReader(bytes)
  throwRefusal(reader)
  const time = reader.time()
  const epochs = Array.from({ length: shape.epochs }, (): EpochEvaluation => {
    const evaluated = readAll(reader, shape.batch)
    const proof = reader.bytes(PROOF_BYTES)
    return { evaluated, proof, partKeys: shape.keys === 0 ? undefined : readPartKeys(reader, shape.keys) }
  })
  const unsigned = bytes.slice(0, reader.offset)
  const signature = reader.bytes(SIGNATURE_BYTES)
  reader.end()
  return { time, epochs, signature, unsigned }
}

function readPartKeys(reader: ByteReader, count: number): PartKeys {
  const keys = readAll(reader, count)
  const depth = reader.u8()
  if (depth > PATH_MAX) reader.refuse(`expected a path of at most ${PATH_MAX}, got ${depth}`)
  return { keys, path: readAll(reader, depth) }
}

function readAll(reader: ByteReader, count: number): Uint8Array[] {
  return Array.from({ length: count }, () => reader.bytes(ELEMENT_BYTES))
}
