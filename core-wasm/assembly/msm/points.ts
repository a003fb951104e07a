// Points of Edwards25519 for ristretto255 (RFC 9496 §4): extended coordinates X, Y, Z, T, of which T = XY / Z. A point that
// is added often is kept as Y + X, Y − X, 2Z, 2dT. Formulas: Hisil, Wong, Carter, Dawson 2008. Variable time, public data.

import { absolute, add, copy, FIELD, fromBytes, inverseRoot, isNegative, isZero, multiply, negate, ONE, SQRT_M1, square, subtract, toBytes } from './field'

/** Bytes of a point, in either form. */
export const POINT: u32 = 4 * FIELD

const D: usize = memory.data<i32>([
  56195235, 13857412, 51736253, 6949390, 114729, 24766616, 60832955, 30306712, 48412415, 21499315,
])
const TWICE_D: usize = memory.data<i32>([
  45281625, 27714825, 36363642, 13898781, 229458, 15978800, 54557047, 27058993, 29715967, 9444199,
])
/** 1 / √(a − d) for a = −1. */
const INVSQRT_A_MINUS_D: usize = memory.data<i32>([
  6111466, 4156064, 39310137, 12243467, 41204824, 120896, 20826367, 26493656, 6093567, 31568420,
])

const A: usize = memory.data(FIELD, 8)
const B: usize = memory.data(FIELD, 8)
const C: usize = memory.data(FIELD, 8)
const E: usize = memory.data(FIELD, 8)
const ROOT: usize = memory.data(FIELD, 8)
const CANONICAL: usize = memory.data(32, 8)

@inline
function x(point: usize): usize {
  return point
}
@inline
function y(point: usize): usize {
  return point + FIELD
}
@inline
function z(point: usize): usize {
  return point + 2 * FIELD
}
@inline
function t(point: usize): usize {
  return point + 3 * FIELD
}

export function setIdentity(out: usize): void {
  memory.fill(out, 0, POINT)
  copy(y(out), ONE)
  copy(z(out), ONE)
}

/** Reads 32 bytes (RFC 9496 §4.3.1). False for anything but the canonical encoding of an element other than the identity. */
export function decode(out: usize, bytes: usize): bool {
  const s = x(out)
  fromBytes(s, bytes)
  toBytes(CANONICAL, s)
  if (memory.compare(CANONICAL, bytes, 32) != 0 || load<u8>(bytes) & 1) return false
  // u1 = 1 − s², u2 = 1 + s², v = −(d · u1²) − u2².
  square(A, s)
  subtract(B, ONE, A)
  add(C, ONE, A)
  square(A, C)
  square(E, B)
  multiply(E, E, D)
  negate(E, E)
  subtract(E, E, A)
  multiply(A, E, A)
  const isSquare = inverseRoot(ROOT, A)
  multiply(A, ROOT, C)
  multiply(C, ROOT, A)
  multiply(C, C, E)
  add(E, s, s)
  multiply(E, E, A)
  absolute(x(out), E)
  multiply(y(out), B, C)
  copy(z(out), ONE)
  multiply(t(out), x(out), y(out))
  return isSquare && !isNegative(t(out)) && !isZero(y(out)) && !isZero(x(out))
}

/** Writes 32 bytes (RFC 9496 §4.3.2). False for the identity. */
export function encode(bytes: usize, point: usize): bool {
  // u1 = (z + y)(z − y), u2 = xy.
  add(A, z(point), y(point))
  subtract(B, z(point), y(point))
  multiply(A, A, B)
  multiply(B, x(point), y(point))
  square(C, B)
  multiply(C, A, C)
  inverseRoot(ROOT, C)
  multiply(A, ROOT, A)
  multiply(B, ROOT, B)
  // 1 / z = den1 · den2 · t.
  multiply(C, A, B)
  multiply(C, C, t(point))
  multiply(E, t(point), C)
  const isRotated = isNegative(E)
  if (isRotated) {
    multiply(B, A, INVSQRT_A_MINUS_D)
    multiply(A, y(point), SQRT_M1)
    multiply(E, x(point), SQRT_M1)
  } else {
    copy(A, x(point))
    copy(E, y(point))
  }
  multiply(A, A, C)
  if (isNegative(A)) negate(E, E)
  subtract(E, z(point), E)
  multiply(E, B, E)
  absolute(E, E)
  toBytes(bytes, E)
  return !isZero(E)
}

/** The form in which a point is added often. */
export function toAddend(out: usize, point: usize): void {
  add(out, y(point), x(point))
  subtract(out + FIELD, y(point), x(point))
  add(out + 2 * FIELD, z(point), z(point))
  multiply(out + 3 * FIELD, t(point), TWICE_D)
}

/** point = point + addend, or point − addend. */
export function addTo(point: usize, addend: usize, isMinus: bool): void {
  add(A, y(point), x(point))
  subtract(B, y(point), x(point))
  multiply(A, A, isMinus ? addend + FIELD : addend)
  multiply(B, B, isMinus ? addend : addend + FIELD)
  multiply(C, t(point), addend + 3 * FIELD)
  multiply(E, z(point), addend + 2 * FIELD)
  if (isMinus) negate(C, C)
  subtract(ROOT, A, B)
  add(A, A, B)
  add(B, E, C)
  subtract(C, E, C)
  complete(point, ROOT, A, B, C, true)
}

/** point = 2 · point. T is needed only before an addition or an encoding. */
export function double(point: usize, wantsT: bool): void {
  square(A, x(point))
  square(B, y(point))
  square(C, z(point))
  add(C, C, C)
  add(E, x(point), y(point))
  square(E, E)
  add(ROOT, B, A)
  subtract(B, B, A)
  subtract(E, E, ROOT)
  subtract(C, C, B)
  complete(point, E, ROOT, B, C, wantsT)
}

/** The point X / Z = xs / zs, Y / Z = ys / ts. */
function complete(point: usize, xs: usize, ys: usize, zs: usize, ts: usize, wantsT: bool): void {
  multiply(x(point), xs, ts)
  multiply(y(point), ys, zs)
  multiply(z(point), zs, ts)
  if (wantsT) multiply(t(point), xs, ys)
}
