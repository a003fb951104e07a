/**
 * The published vectors of threshold salting, three of five: parts, shares, the line of a sheet, evaluations with proofs, and
 * the key of a cell. PROTOCOL.md §5.7–§5.9, §7.7. Secrets derive from fixed numbers.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  blindInput,
  cellToInput,
  evaluating,
  finalize,
  type Group,
  keysToShareKey,
  parts,
  rankToWeights,
  respondersToWeights,
  secretsToShare,
  weightsToScalars,
} from '../voprf/index.ts'
import { bytesToHex, concatBytes, hexToBytes, utf8 } from '../wire/encoding/bytes.ts'
import { encodeEvaluateRequest, encodeUnsignedEvaluation } from '../wire/messages/evaluate.ts'
import { randomBytes, seeded } from './samples.ts'

const SEED = 0x47540015
const [REPLICAS, THRESHOLD] = [5, 3]
const RESPONDERS = [0, 2, 4]
const CELL = '8c1f1a4a3b5a1ff'
const [SHARD, EPOCH, TIME] = [258, 371_232, 1_781_913_600_000]

/** Bytes are lower-case hex. */
export function voprfVectors(group: Group) {
  const random = seeded(SEED)
  const draw = (length: number): Uint8Array => randomBytes(random, length)
  const leaves = parts(REPLICAS, THRESHOLD).map(() => draw(32))
  const secrets = leaves.map((leaf) => group.scalarReduce(group.sha512(utf8('geotrace/scalar'), leaf)))
  const keys = secrets.map((secret) => group.multiplyBase(secret))
  const blind = group.scalarReduce(draw(64))
  const input = cellToInput(BigInt(`0x${CELL}`))
  const blinded = blindInput(group, input, blind)
  // A batch of two: the second element pads it.
  const padding = draw(64)
  const elements = [blinded, group.fromHash(padding)]
  const shares = Array.from({ length: REPLICAS }, (_, rank) => {
    const weights = rankToWeights(REPLICAS, THRESHOLD, rank)
    const share = secretsToShare(group, weights, (part) => secrets[part]!)
    return { share, key: keysToShareKey(group, weights, keys) }
  })
  const answers = RESPONDERS.map((rank) => {
    const { share, key } = shares[rank]!
    const nonce = group.scalarReduce(draw(64))
    const shown = bytesToHex(nonce)
    const steps = evaluating(group, { secret: share, public: key }, elements, nonce)
    let step = steps.next()
    while (step.done !== true) step = steps.next()
    return { rank, nonce: shown, evaluated: [...step.value.evaluated], proof: step.value.proof }
  })
  const combination = respondersToWeights(RESPONDERS)
  const lambdas = weightsToScalars(group, combination)
  const scale = group.scalarMultiply(combination.inverse, group.scalarInvert([blind])[0]!)
  const evaluated = answers.map((answer) => answer.evaluated[0]!)
  const partKeys = { keys, path: [draw(32)] }
  const epochs = [{ evaluated: answers[0]!.evaluated, proof: answers[0]!.proof, partKeys }]
  const request = { roster: hexToBytes('0123456789abcdef'), shard: SHARD, wantsKeys: true, epochs: [EPOCH] }
  return {
    replicas: REPLICAS,
    threshold: THRESHOLD,
    parts: parts(REPLICAS, THRESHOLD).map((ranks, i) => ({
      ...{ ranks, leaf: bytesToHex(leaves[i]!), secret: bytesToHex(secrets[i]!), key: bytesToHex(keys[i]!) },
    })),
    shares: shares.map(({ share, key }) => ({ share: bytesToHex(share), key: bytesToHex(key) })),
    groupKey: bytesToHex(secrets.reduce((sum, secret) => group.scalarAdd(sum, secret))),
    line: bytesToHex(sha256(concatBytes(...keys))),
    cell: { id: CELL, input: bytesToHex(input), blind: bytesToHex(blind), blinded: bytesToHex(blinded) },
    padding: { bytes: bytesToHex(padding), element: bytesToHex(elements[1]!) },
    answers: answers.map((answer, i) => ({
      ...{ rank: answer.rank, lambda: bytesToHex(lambdas[i]!), nonce: answer.nonce },
      ...{ evaluated: answer.evaluated.map((element) => bytesToHex(element)), proof: bytesToHex(answer.proof) },
    })),
    key: bytesToHex(finalize(group, input, combination.factors, scale, evaluated)),
    frames: {
      request: bytesToHex(encodeEvaluateRequest({ ...request, elements: [elements] })),
      unsignedAnswer: bytesToHex(encodeUnsignedEvaluation({ time: TIME, epochs })),
    },
  }
}
