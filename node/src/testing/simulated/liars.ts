/**
 * Salt nodes that lie, each in its own way, with the node's real key. By PROTOCOL.md §5.4 and §5.9 no device accepts a false
 * salt or evaluation.
 * A device can detect each lie with its roster alone. Silence is not a lie.
 */
import {
  answerContent,
  concatBytes,
  decodeRosterRequest,
  decodeSaltAnswer,
  decodeTimeReply,
  EVALUATE_PROTOCOL,
  encodeTimeReply,
  encodeUnsignedAnswer,
  type Parameters,
  type Protocol,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
  type SaltAnswer,
  SEEDS_PROTOCOL,
  type Signer,
  STATUS_OK,
  signContent,
} from '@geotrace/core-wasm/wire'
import { bendEvaluations, EVALUATION_LIES, type EvaluationLie } from './evaluation-lies.ts'
import type { Tamper } from './network.ts'
import type { SeededRandom } from './seeded-random.ts'

const LIES = ['stale-answer', 'other-signature', 'noise', 'cut-short', 'false-seed', 'false-roster'] as const
const SALT_LIES = ['wrong-salt', 'own-sheet', 'salt-per-user', 'other-shard'] as const
type Lie = (typeof LIES)[number] | (typeof SALT_LIES)[number] | EvaluationLie

/** The lies that a node of a federation can tell. */
export function liesUnder({ salting }: Pick<Parameters, 'salting'>): readonly Lie[] {
  return [...LIES, ...(salting === 'plain' ? SALT_LIES : EVALUATION_LIES)]
}

/** The protocol whose answers a lie alters; that of salts or of evaluations unless listed. */
const SUBJECTS: Partial<Record<Lie, Protocol>> = {
  'false-seed': SEEDS_PROTOCOL,
  'false-roster': ROSTER_PROTOCOL,
}
/** The signature at the end of an answer. */
const SIGNATURE_BYTES = 64
/** More than any clock skew that a node accepts. */
const FALSE_TIME_MS = 60 * 60_000

/** Alters the answers of a node with the key of `signer`. Every answer draws from `random`. */
export function liar(
  lie: Lie,
  signer: Signer,
  random: SeededRandom,
  parameters: Pick<Parameters, 'salting' | 'replicas' | 'threshold'>,
): Tamper {
  let before: Uint8Array | undefined

  const lieInSalts = (request: Uint8Array, reply: Uint8Array, userByte: number): Uint8Array => {
    const answer = decodeSaltAnswer(reply)
    switch (lie) {
      case 'wrong-salt':
        return resign(request, withEntry(answer, random.bytes(32)), signer)
      case 'salt-per-user':
        return resign(request, withEntry(answer, new Uint8Array(32).fill(userByte)), signer)
      case 'own-sheet':
        return resign(request, withPath(answer, random), signer)
      case 'other-shard':
        return resign(request, { ...answer, shard: answer.shard + 1 }, signer)
      default:
        return lieInBytes(reply)
    }
  }
  const lieInBytes = (reply: Uint8Array): Uint8Array => {
    const unsigned = reply.subarray(0, -SIGNATURE_BYTES)
    switch (lie) {
      case 'stale-answer': {
        const stale = before ?? concatBytes(unsigned, new Uint8Array(SIGNATURE_BYTES))
        before = reply
        return stale
      }
      case 'other-signature':
        return concatBytes(unsigned, random.bytes(SIGNATURE_BYTES))
      case 'cut-short':
        return reply.slice(0, random.below(reply.length))
      default:
        return random.bytes(1 + random.below(reply.length))
    }
  }
  return (protocol, request, reply, from) => {
    const subject = SUBJECTS[lie] ?? (parameters.salting === 'plain' ? SALT_PROTOCOL : EVALUATE_PROTOCOL)
    if (protocol.id !== subject.id || reply[0] !== STATUS_OK) return reply
    switch (lie) {
      case 'false-seed':
      case 'false-roster': {
        if (lie === 'false-roster' && !ROSTER_OPS.has(decodeRosterRequest(request).op)) return reply
        const at = 1 + random.below(reply.length - 1)
        if (reply.length > 1) reply[at] = reply[at]! ^ (1 << random.below(8))
        return reply
      }
      case 'wrong-element':
      case 'other-key':
      case 'wrong-proof':
      case 'key-per-user':
      case 'swapped-epochs': {
        const userByte = from.key?.[0] ?? 0
        return bendEvaluations(lie, { request, reply, userByte }, { signer, random, parameters })
      }
      case 'stale-answer':
      case 'other-signature':
      case 'noise':
      case 'cut-short':
        return lieInBytes(reply)
      default:
        return lieInSalts(request, reply, from.key?.[0] ?? 0)
    }
  }
}

/** Tells everybody the same wrong time, `sign` hours off. */
export function timeLiar(sign: 1 | -1): Tamper {
  return (protocol, request, reply) => {
    if (protocol.id !== ROSTER_PROTOCOL.id || reply[0] !== STATUS_OK) return reply
    if (decodeRosterRequest(request).op !== 'time') return reply
    const { time, federation } = decodeTimeReply(reply)
    return encodeTimeReply({ time: time + sign * FALSE_TIME_MS, federation })
  }
}

/** Nodes fetch a roster with `get`, devices with `news`. */
const ROSTER_OPS: ReadonlySet<string> = new Set(['get', 'news', 'named'])

function resign(request: Uint8Array, answer: SaltAnswer, signer: Signer): Uint8Array {
  const unsigned = encodeUnsignedAnswer(answer)
  return concatBytes(unsigned, signContent(signer, 'geotrace/salt-answer', answerContent(request, unsigned)))
}

/** Replaces the first salt that the request asked for. */
function withEntry(answer: SaltAnswer, salt: Uint8Array): SaltAnswer {
  const epochs = answer.epochs.map((item, i) => {
    const position = 31 - Math.clz32(item.mask & -item.mask)
    return i > 0 ? item : { ...item, entries: item.entries.map((entry, k) => (k === position ? salt : entry)) }
  })
  return { ...answer, epochs }
}

function withPath(answer: SaltAnswer, random: SeededRandom): SaltAnswer {
  return { ...answer, epochs: answer.epochs.map((item) => ({ ...item, path: item.path.map(() => random.bytes(32)) })) }
}
