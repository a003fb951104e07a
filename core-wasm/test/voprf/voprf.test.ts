import { ed25519, ristretto255, ristretto255_oprf } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, it } from 'vitest'
import { randomBytes, seeded } from '../../src/testing/index.ts'
import {
  blindInput,
  cellToInput,
  type Evaluation,
  type EvaluationKey,
  evaluating,
  finalize,
  isValidEvaluation,
  keysToShareKey,
  loadGroup,
  parts,
  randomElement,
  randomScalar,
  rankToWeights,
  respondersToWeights,
  secretsToShare,
} from '../../src/voprf/index.ts'

/** The oracle: noble's RFC 9497, which shares no code with libsodium. */
const { voprf } = ristretto255_oprf
const { Fn } = ristretto255.Point
const REPLICAS_MAX = 6
const group = await loadGroup()
const draw = seeded(0x47540014)
const random = (length: number) => randomBytes(draw, length)
const hex = (bytes: Uint8Array) => bytesToHex(bytes)
/** The output of noble alone: it blinds, evaluates and finalizes. */
function noble(secret: Uint8Array, input: Uint8Array): string {
  const publicKey = ristretto255.Point.BASE.multiply(Fn.fromBytes(secret)).toBytes()
  const { blind, blinded } = voprf.blind(input)
  const { evaluated, proof } = voprf.blindEvaluate(secret, publicKey, blinded)
  return bytesToHex(voprf.finalize(input, blind, evaluated, blinded, publicKey, proof))
}

function evaluate(key: EvaluationKey, blinded: readonly Uint8Array[], nonce = randomScalar(group, random)): Evaluation {
  const steps = evaluating(group, key, blinded, nonce)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
function toKey(secret: Uint8Array): EvaluationKey {
  return { secret, public: group.multiplyBase(secret) }
}
const setsOf = (replicas: number, size: number): number[][] =>
  Array.from({ length: 2 ** replicas }, (_, bits) =>
    Array.from({ length: replicas }, (_, rank) => rank).filter((rank) => (bits >> rank) & 1),
  ).filter((ranks) => ranks.length === size)

/** RFC 9497 A.1.2: mode VOPRF, ristretto255-SHA512. */
const KEY = {
  secret: hexToBytes('e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909'),
  public: hexToBytes('c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e'),
}
const BLIND = '64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706'
const OTHER = '222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e'
const SHORT = '00'
const LONG = '5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a'
const [OUTPUT_SHORT, OUTPUT_LONG] = [
  'b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7da4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c',
  '8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6',
]
const VECTORS = [
  {
    inputs: [SHORT],
    blinds: [BLIND],
    blinded: ['863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945'],
    evaluated: ['aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e'],
    proof:
      'ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd066d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d',
    nonce: OTHER,
    outputs: [OUTPUT_SHORT],
  },
  {
    inputs: [LONG],
    blinds: [BLIND],
    blinded: ['cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c'],
    evaluated: ['60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468'],
    proof:
      '401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02',
    nonce: OTHER,
    outputs: [OUTPUT_LONG],
  },
  {
    inputs: [SHORT, LONG],
    blinds: [BLIND, OTHER],
    blinded: [
      '863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945',
      '90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654',
    ],
    evaluated: [
      'aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e',
      'cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a',
    ],
    proof:
      'cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08',
    nonce: '419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c',
    outputs: [OUTPUT_SHORT, OUTPUT_LONG],
  },
]

describe('the vectors of RFC 9497 A.1.2', () => {
  it('every value of the three vectors comes out: blinded and evaluated elements, proof, output', () => {
    for (const vector of VECTORS) {
      const inputs = vector.inputs.map(hexToBytes)
      const blinds = vector.blinds.map(hexToBytes)
      const blinded = inputs.map((input, i) => blindInput(group, input, blinds[i]!))
      expect(blinded.map(hex)).toEqual(vector.blinded)
      const { evaluated, proof } = evaluate(KEY, blinded, hexToBytes(vector.nonce))
      expect(evaluated.map(hex)).toEqual(vector.evaluated)
      expect(hex(proof)).toBe(vector.proof)
      expect(isValidEvaluation(group, KEY.public, blinded, { evaluated, proof })).toBe(true)
      const unblinds = group.scalarInvert(blinds)
      const secrets = inputs.map((input, i) => finalize(group, input, [1], unblinds[i]!, [evaluated[i]!]))
      expect(secrets.map(hex)).toEqual(vector.outputs.map((output) => output!.slice(0, 64)))
    }
  })
})

describe('the exchange with noble', () => {
  it('noble finalizes an evaluation made here, and an evaluation made by noble is valid here', () => {
    const key = toKey(randomScalar(group, random))
    const inputs = Array.from({ length: 5 }, () => random(8))
    const theirs = inputs.map((input) => voprf.blind(input))
    const blinded = theirs.map((item) => item.blinded)
    const { evaluated, proof } = evaluate(key, blinded)
    const outputs = voprf.finalizeBatch(
      inputs.map((input, i) => ({ input, blind: theirs[i]!.blind, evaluated: evaluated[i]!, blinded: blinded[i]! })),
      key.public,
      proof,
    )
    expect(outputs.map(hex)).toEqual(inputs.map((input) => noble(key.secret, input)))
    const back = voprf.blindEvaluateBatch(key.secret, key.public, blinded)
    expect(isValidEvaluation(group, key.public, blinded, back)).toBe(true)
  })

  it('any t replicas give the output of noble under the group key, for every R and t up to six', () => {
    const cell = 0x8c2a1072b59edffn
    const input = cellToInput(cell)
    expect(hex(input)).toBe('08c2a1072b59edff')
    const blind = randomScalar(group, random)
    const unblind = group.scalarInvert([blind])[0]!
    const blinded = [blindInput(group, input, blind)]
    let sets = 0
    for (let replicas = 1; replicas <= REPLICAS_MAX; replicas++) {
      for (let threshold = 1; threshold <= replicas; threshold++) {
        const secrets = parts(replicas, threshold).map(() => randomScalar(group, random))
        const partKeys = secrets.map(group.multiplyBase)
        const groupKey = secrets.map((secret) => Fn.fromBytes(secret)).reduce((a, b) => Fn.add(a, b))
        const expected = noble(Fn.toBytes(groupKey), input).slice(0, 64)
        const answers = Array.from({ length: replicas }, (_, rank) => {
          const weights = rankToWeights(replicas, threshold, rank)
          const share = secretsToShare(group, weights, (part) => secrets[part]!)
          const shareKey = keysToShareKey(group, weights, partKeys)
          expect(hex(group.multiplyBase(share))).toBe(hex(shareKey))
          const answer = evaluate({ secret: share, public: shareKey }, blinded)
          expect(isValidEvaluation(group, shareKey, blinded, answer)).toBe(true)
          return answer.evaluated[0]!
        })
        for (const responders of setsOf(replicas, threshold)) {
          const { factors, inverse } = respondersToWeights(responders)
          const secret = finalize(
            group,
            input,
            factors,
            group.scalarMultiply(inverse, unblind),
            responders.map((rank) => answers[rank]!),
          )
          expect(hex(secret)).toBe(expected)
          sets++
        }
      }
    }
    expect(sets).toBe(2 ** (REPLICAS_MAX + 1) - 2 - REPLICAS_MAX)
  })

  it('t − 1 replicas give another output than t replicas', () => {
    const input = cellToInput(7n)
    const secrets = parts(5, 3).map(() => randomScalar(group, random))
    const groupKey = secrets.map((secret) => Fn.fromBytes(secret)).reduce((a, b) => Fn.add(a, b))
    const element = [blindInput(group, input, Fn.toBytes(1n))]
    const answers = [0, 1].map((rank) => {
      const share = secretsToShare(group, rankToWeights(5, 3, rank), (part) => secrets[part]!)
      return group.multiply(share, element[0]!)
    })
    const { factors, inverse } = respondersToWeights([0, 1])
    const secret = finalize(group, input, factors, inverse, answers)
    expect(hex(secret)).not.toBe(noble(Fn.toBytes(groupKey), input).slice(0, 64))
  })
})

describe('the proof', () => {
  const key = toKey(randomScalar(group, random))
  const blinded = Array.from({ length: 4 }, () => randomElement(group, random))
  const answer = evaluate(key, blinded)
  const isValid = (change: Partial<Evaluation>, publicKey = key.public, elements: readonly Uint8Array[] = blinded) =>
    isValidEvaluation(group, publicKey, elements, { ...answer, ...change })

  it('an altered, swapped, missing or foreign element makes the proof invalid', () => {
    expect(isValid({})).toBe(true)
    const [a, b, c, d] = answer.evaluated as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    expect(isValid({ evaluated: [b, a, c, d] })).toBe(false)
    expect(isValid({ evaluated: [a, a, c, d] })).toBe(false)
    expect(isValid({ evaluated: [a, b, c] })).toBe(false)
    expect(isValid({ evaluated: [] }, key.public, [])).toBe(false)
    expect(isValid({ evaluated: [new Uint8Array(32), b, c, d] })).toBe(false)
    expect(isValid({ evaluated: [new Uint8Array(32).fill(255), b, c, d] })).toBe(false)
    expect(isValid({}, key.public, [...blinded.slice(1), blinded[0]!])).toBe(false)
    expect(isValid({}, toKey(randomScalar(group, random)).public)).toBe(false)
  })

  it('every altered bit of the proof makes it invalid', () => {
    for (let bit = 0; bit < 512; bit += 7) {
      const proof = answer.proof.slice()
      proof[bit >> 3]! ^= 1 << (bit & 7)
      expect(isValid({ proof }), `bit ${bit}`).toBe(false)
    }
    expect(isValid({ proof: answer.proof.slice(0, 63) })).toBe(false)
  })

  it('the same proof in another encoding is invalid', () => {
    // s + L is the same scalar and fits into 32 bytes.
    const proof = answer.proof.slice()
    const s = BigInt(`0x${hex(proof.slice(32).reverse())}`) + ed25519.Point.Fn.ORDER
    for (let i = 0; i < 32; i++) proof[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn)
    expect(s >> 256n).toBe(0n)
    expect(isValid({ proof })).toBe(false)
  })

  it('an evaluation wipes its nonce, also when an element is refused', () => {
    const nonce = randomScalar(group, random)
    evaluate(key, blinded, nonce)
    expect(nonce.every((byte) => byte === 0)).toBe(true)
    const other = randomScalar(group, random)
    expect(() => evaluate(key, [new Uint8Array(32)], other)).toThrow(RangeError)
    expect(other.every((byte) => byte === 0)).toBe(true)
    expect(() => evaluate(key, [])).toThrow(RangeError)
  })
})
