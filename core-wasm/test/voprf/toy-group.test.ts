import { expect, it, vi } from 'vitest'
import { randomBytes, seeded } from '../../src/testing/index.ts'
import { evaluating, isValidEvaluation, randomScalar } from '../../src/voprf/index.ts'
import { GENERATOR, toyGroup as toy } from './toy-group.ts'

vi.mock('../../src/voprf/group.ts', () => import('./toy-group.ts'))

const real = await (
  await vi.importActual<typeof import('../../src/voprf/group.ts')>('../../src/voprf/group.ts')
).loadGroup()
const draw = seeded(0x47540021)
const random = (length: number) => randomBytes(draw, length)
const scalar = () => randomScalar(toy, random)

it('the toy group computes with scalars and hashes as the real group does', () => {
  for (let i = 0; i < 20; i++) {
    const [a, b, wide] = [scalar(), scalar(), random(64)]
    expect(toy.scalarAdd(a, b)).toEqual(real.scalarAdd(a, b))
    expect(toy.scalarSubtract(a, b)).toEqual(real.scalarSubtract(a, b))
    expect(toy.scalarMultiply(a, b)).toEqual(real.scalarMultiply(a, b))
    expect(toy.scalarInvert([a, b])).toEqual(real.scalarInvert([a, b]))
    expect(toy.scalarReduce(wide)).toEqual(real.scalarReduce(wide))
    expect(toy.sha512(a, wide)).toEqual(real.sha512(a, wide))
  }
})

it('products, sums and multiples of the toy group obey the laws of a group, and the identity is refused', () => {
  const [a, b, hash] = [scalar(), scalar(), random(64)]
  const [p, q] = [toy.fromHash(hash), toy.multiplyBase(a)]
  expect(toy.multiplyBase(a)).toEqual(toy.multiply(a, GENERATOR))
  expect(toy.multiply(a, toy.multiply(b, p))).toEqual(toy.multiply(toy.scalarMultiply(a, b), p))
  expect(toy.add(toy.multiply(a, p), toy.multiply(b, p))).toEqual(toy.multiply(toy.scalarAdd(a, b), p))
  expect(toy.sum([a, -3], [p, q])).toEqual(
    toy.add(toy.multiply(a, p), toy.multiply(toy.scalarSubtract(new Uint8Array(32), small(3)), q)),
  )
  expect(toy.isElement(p)).toBe(true)
  for (const none of [new Uint8Array(32), new Uint8Array(32).fill(255)]) {
    expect(toy.isElement(none)).toBe(false)
    expect(() => toy.multiply(a, none)).toThrow(RangeError)
  }
  expect(() => toy.multiplyBase(new Uint8Array(32))).toThrow(RangeError)
})

it('a proof in the toy group holds for its evaluation alone', () => {
  const secret = scalar()
  const key = { secret, public: toy.multiplyBase(secret) }
  const blinded = [random(64), random(64)].map(toy.fromHash)
  const steps = evaluating(toy, key, blinded, scalar())
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  const evaluation = step.value
  expect(isValidEvaluation(toy, key.public, blinded, evaluation)).toBe(true)
  expect(isValidEvaluation(toy, toy.multiplyBase(scalar()), blinded, evaluation)).toBe(false)
  const evaluated = [...evaluation.evaluated].reverse()
  expect(isValidEvaluation(toy, key.public, blinded, { ...evaluation, evaluated })).toBe(false)
})

function small(value: number): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? value : 0))
}
