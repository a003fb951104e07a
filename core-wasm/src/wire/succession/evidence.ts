/**
 * Evidence: portable proof that a peer signed two statements that cannot both be honest. PROTOCOL.md §4.10. Its
 * signatures and the certified rosters are enough to check it. Decoding throws MESSAGE_MALFORMED.
 *
 * - answer: a salt node's signed answer that its sheet does not hold
 * - evaluation: a salt node's signed evaluation that is not one under its share
 * - votes: an operator's two votes for one period
 * - proposals: an operator's two proposals for one roster and period
 * - seeds: a replica's two seeds for one part and period of one roster
 * - sheets: a replica's two sheets for one shard of one roster
 * - pins: the central peer's two pins of one epoch
 * - spread-keys: a member's two keys for the slips of one period
 * - spreads: a teller's two spreads of one period
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encode } from 'cborg'
import * as z from 'zod/mini'
import {
  ELEMENT_BYTES,
  EVALUATE_ANSWER_MAX_BYTES,
  EVALUATE_REQUEST_MAX_BYTES,
  EVIDENCE_MAX_BYTES,
  HASH_BYTES,
  KEY_BYTES,
  PARTS_MAX,
  PATH_MAX,
  SALT_ANSWER_MAX_BYTES,
  SALT_REQUEST_MAX_BYTES,
  SIGNATURE_BYTES,
} from '../constants.ts'
import { concatBytes, equalBytes, utf8 } from '../encoding/bytes.ts'
import { decodeCanonical } from '../encoding/canonical.ts'
import { isValidSignature } from '../encoding/signature.ts'
import { FederationError, isFederationError } from '../errors.ts'
import type { CertifiedRoster } from '../federation/roster.ts'
import { keyToMember, partCount, shardToReplicas, sheetEpochs } from '../federation/roster-rules.ts'
import { answerToSalts } from '../federation/salt-check.ts'
import { decodeEvaluateAnswer, decodeEvaluateRequest, requestToShape } from '../messages/evaluate.ts'
import {
  type EvaluationVerifier,
  evaluationToLie,
  isCertified,
  isSignedEvaluation,
} from '../messages/evaluate-check.ts'
import { isValidProposal } from '../messages/gossip.ts'
import { isValidPin } from '../messages/pin.ts'
import { answerContent, decodeSaltAnswer, decodeSaltRequest } from '../messages/salt.ts'
import { seedContent } from '../messages/seeds.ts'
import { type Sheet, sheetContent } from '../messages/sheet.ts'
import { isValidSpreadStatement } from '../messages/spread-counts.ts'
import { isValidSpreadKey } from '../messages/spread-key.ts'
import { isValidVote } from './vote.ts'

const bytes = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length === length, `expected ${length} bytes`)
const atMost = (length: number) =>
  z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= length, `expected ≤ ${length} bytes`)
const u8 = z.int().check(z.minimum(0), z.maximum(0xff))
const u16 = z.int().check(z.minimum(0), z.maximum(0xffff))
const u32 = z.int().check(z.minimum(0), z.maximum(0xffffffff))
const [hash, key, signature] = [bytes(HASH_BYTES), bytes(KEY_BYTES), bytes(SIGNATURE_BYTES)]
const vote = z.strictObject({ height: u32, firstEpoch: u32, hash, signature })
const proposal = z.strictObject({ hash, holder: key, operator: u16, signature })
const pin = z.strictObject({ roster: hash, signature })
const seed = z.strictObject({ hash, signature })
const sheet = z.strictObject({ root: hash, signature })
const spreadKey = z.strictObject({ slipKey: key, signature })
const spread = z.strictObject({ hash, signature })
const partKeys = z.strictObject({
  keys: z.array(bytes(ELEMENT_BYTES)).check(z.maxLength(PARTS_MAX)),
  path: z.array(hash).check(z.maxLength(PATH_MAX)),
})

const evidenceSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('answer'),
    key,
    request: atMost(SALT_REQUEST_MAX_BYTES),
    answer: atMost(SALT_ANSWER_MAX_BYTES),
  }),
  z.strictObject({
    kind: z.literal('evaluation'),
    key,
    request: atMost(EVALUATE_REQUEST_MAX_BYTES),
    answer: atMost(EVALUATE_ANSWER_MAX_BYTES),
    /** The epoch that the answer is false for. */
    epoch: u32,
    /** The certified part keys of that epoch, for an answer that carries none. */
    partKeys: z.nullable(partKeys),
  }),
  z.strictObject({ kind: z.literal('votes'), key, federation: hash, first: vote, second: vote }),
  z.strictObject({
    kind: z.literal('proposals'),
    key,
    federation: hash,
    height: u32,
    firstEpoch: u32,
    first: proposal,
    second: proposal,
  }),
  z.strictObject({
    kind: z.literal('seeds'),
    key,
    federation: hash,
    previous: hash,
    shard: u16,
    firstEpoch: u32,
    part: u8,
    first: seed,
    second: seed,
  }),
  z.strictObject({
    kind: z.literal('sheets'),
    key,
    federation: hash,
    previous: hash,
    shard: u16,
    firstEpoch: u32,
    epochs: u32,
    first: sheet,
    second: sheet,
  }),
  z.strictObject({ kind: z.literal('pins'), key, federation: hash, epoch: u32, first: pin, second: pin }),
  z.strictObject({
    kind: z.literal('spread-keys'),
    key,
    federation: hash,
    period: u32,
    first: spreadKey,
    second: spreadKey,
  }),
  z.strictObject({ kind: z.literal('spreads'), key, federation: hash, period: u32, first: spread, second: spread }),
])

/** `key` is the key of the accused peer, or of the accused operator for votes and proposals. */
export type Evidence = z.infer<typeof evidenceSchema>

export function encodeEvidence(evidence: Evidence): Uint8Array {
  return encode(evidence)
}

/** Decodes only; `isProof` checks the proof. Throws MESSAGE_MALFORMED. */
export function decodeEvidence(encoded: Uint8Array): Evidence {
  return decodeCanonical(encoded, evidenceSchema, EVIDENCE_MAX_BYTES, (_reason, cause) => {
    throw new FederationError(
      'MESSAGE_MALFORMED',
      'malformed evidence: expected canonical CBOR of one kind of evidence',
      { at: 0 },
      { cause },
    )
  })
}

/** The id by which a change of kind `lied` names the evidence, 32 bytes. */
export function evidenceToId(evidence: Evidence): Uint8Array {
  return sha256(concatBytes(utf8('geotrace/evidence'), encodeEvidence(evidence)))
}

/** Finds a certified roster by its roster name. */
type Named = (name: Uint8Array) => CertifiedRoster | undefined

/** Whether the accused contradicted itself, or the truth. Only evidence of kind `evaluation` needs the verifier. */
export function isProof(evidence: Evidence, named: Named, verifier?: EvaluationVerifier): boolean {
  switch (evidence.kind) {
    case 'answer':
      return isFalseAnswer(evidence, named)
    case 'evaluation':
      return isFalseEvaluation(evidence, named, verifier)
    case 'votes': {
      const { key: accused, federation, first, second } = evidence
      const isSame = first.height === second.height && equalBytes(first.hash, second.hash)
      return (
        first.firstEpoch === second.firstEpoch &&
        !isSame &&
        [first, second].every((v) => isValidVote({ ...v, federation }, accused, v))
      )
    }
    case 'proposals': {
      const { key: accused, federation, height, firstEpoch, first, second } = evidence
      const isSigned = (item: typeof first): boolean =>
        isValidProposal(federation, { ...item, height, firstEpoch }, accused)
      return !equalBytes(first.hash, second.hash) && isSigned(first) && isSigned(second)
    }
    case 'seeds': {
      const { first, second, ...rest } = evidence
      const isSigned = (item: typeof first): boolean =>
        isValidSignature(evidence.key, 'geotrace/seed', seedContent({ ...rest, hash: item.hash }), item.signature)
      return !equalBytes(first.hash, second.hash) && isSigned(first) && isSigned(second)
    }
    case 'sheets': {
      const { first, second, ...rest } = evidence
      const isSigned = ({ root, signature: own }: typeof first): boolean =>
        isValidSignature(evidence.key, 'geotrace/sheet', sheetContent({ ...rest, root } satisfies Sheet), own)
      return !equalBytes(first.root, second.root) && isSigned(first) && isSigned(second)
    }
    case 'pins': {
      const { key: accused, federation, epoch, first, second } = evidence
      const isSigned = (item: typeof first): boolean => isValidPin({ ...item, epoch }, federation, accused)
      return !equalBytes(first.roster, second.roster) && isSigned(first) && isSigned(second)
    }
    case 'spread-keys': {
      const { federation, first, second, ...rest } = evidence
      const isSigned = (item: typeof first): boolean => isValidSpreadKey({ ...rest, ...item }, federation)
      return !equalBytes(first.slipKey, second.slipKey) && isSigned(first) && isSigned(second)
    }
    case 'spreads': {
      const { key: accused, federation, period, first, second } = evidence
      const isSigned = (item: typeof first): boolean => isValidSpreadStatement({ federation, period, ...item }, accused)
      return !equalBytes(first.hash, second.hash) && isSigned(first) && isSigned(second)
    }
  }
}

/** Whether a member signed an answer that its sheet does not commit to. An unreadable answer proves nothing. */
function isFalseAnswer({ key: accused, request, answer }: Evidence & { kind: 'answer' }, named: Named): boolean {
  try {
    const { roster: name, shard, blocks } = decodeSaltRequest(request)
    const { unsigned, signature: own } = decodeSaltAnswer(answer)
    const certified = named(name)
    if (certified === undefined || keyToMember(certified.roster, accused) === undefined) return false
    if (!isValidSignature(accused, 'geotrace/salt-answer', answerContent(request, unsigned), own)) return false
    answerToSalts(answer, certified, shard, blocks, accused)
    return false
  } catch (error) {
    if (isFederationError(error, 'PEER_LIED')) return true
    if (isFederationError(error)) return false
    throw error
  }
}

/** Whether a replica signed evaluations that are not under its share. An unreadable answer proves nothing. */
function isFalseEvaluation(
  { key: accused, request, answer: bytes, epoch, partKeys: given }: Evidence & { kind: 'evaluation' },
  named: Named,
  verifier: EvaluationVerifier | undefined,
): boolean {
  if (verifier === undefined) throw new TypeError('"verifier" expected for evidence of kind evaluation')
  try {
    const asked = decodeEvaluateRequest(request)
    const roster = named(asked.roster)?.roster
    if (roster === undefined || asked.shard >= roster.shards || !asked.epochs.includes(epoch)) return false
    const { replicas, threshold } = roster
    const rank = shardToReplicas(roster, asked.shard).findIndex((replica) => equalBytes(replica.key, accused))
    const parts = partCount(replicas, threshold)
    const answer = decodeEvaluateAnswer(bytes, requestToShape(asked, parts))
    if (rank < 0 || !isSignedEvaluation(accused, request, answer)) return false
    const own = { root: roster.sheets[asked.shard]!, firstEpoch: roster.firstEpoch, epochs: sheetEpochs(roster) }
    // Keys that are not needed would make many proofs of one.
    if (asked.wantsKeys !== (given === null)) return false
    if (given !== null && (given.keys.length !== parts || !isCertified(own, epoch, given))) return false
    const place = { replicas, threshold, rank }
    return (
      evaluationToLie(asked, answer, asked.epochs.indexOf(epoch), own, place, given?.keys ?? [], verifier) !== undefined
    )
  } catch (error) {
    if (isFederationError(error)) return false
    throw error
  }
}
