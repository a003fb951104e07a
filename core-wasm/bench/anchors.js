/**
 * The contenders in JavaScript, as a developer would write them with h3-js and a hash library. Each makes three cells, a
 * region (four `latLngToCell`) and thirty hashes for a fix. Layers B and C are cells of shifted positions, the usual way
 * to get them. `sameCells` finds the cells of the core instead and must give the same bytes.
 */
import crypto from 'node:crypto'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'
import { cellToLatLng, cellToVertexes, h3IndexToSplitLong, latLngToCell, vertexToLatLng } from 'h3-js'

export const SIZES = [5, 10, 20, 40, 80]
/** A third of a cell, in degrees. */
export const SHIFT_DEGREES = 0.00006
const LAYERS = ['A', 'B', 'C']
const RESOLUTION = 12
const REGION_RESOLUTION = 4
const HASH_BYTES = 12

/** Four calls: three cells, and the region that determines the shard. */
function fourCells({ lat, lng }) {
  return [
    latLngToCell(lat, lng, RESOLUTION),
    latLngToCell(lat + SHIFT_DEGREES, lng, RESOLUTION),
    latLngToCell(lat, lng + SHIFT_DEGREES, RESOLUTION),
    latLngToCell(lat, lng, REGION_RESOLUTION),
  ]
}

/** `hash` takes a text and returns hex. */
function onStrings(hash) {
  return (slice) => {
    const hashes = []
    for (const fix of slice.perFix) {
      const cells = fourCells(fix)
      for (let layer = 0; layer < 3; layer++) {
        for (let s = 0; s < 5; s++) {
          for (let lag = 0; lag < 2; lag++) {
            const salt = fix.hexSalts[s * 2 + lag]
            const n = Math.floor(fix.at / (SIZES[s] * 60_000)) + lag
            hashes.push(hash(`${salt}|${LAYERS[layer]}|${cells[layer]}|${SIZES[s]}|${n}`))
          }
        }
      }
    }
    return hashes
  }
}

export const nobleStrings = onStrings((text) => bytesToHex(sha256(utf8ToBytes(text))))
export const cryptoStrings = crypto.hash ? onStrings((text) => crypto.hash('sha256', text)) : undefined

const message = new Uint8Array(48)
const fields = new DataView(message.buffer)
message.set([0x47, 0x54, 1], 37)

/** The 48 bytes of the protocol in one buffer, used again for each hash. */
function hashInto(out, at, fix, salts, [low, high]) {
  fields.setUint32(40, high)
  fields.setUint32(44, low)
  for (let s = 0; s < 5; s++) {
    const n = Math.floor(fix.at / (SIZES[s] * 60_000))
    fields.setUint8(36, SIZES[s])
    for (let lag = 0; lag < 2; lag++) {
      message.set(salts[s * 2 + lag])
      fields.setUint32(32, n + lag)
      out.set(sha256(message).subarray(0, HASH_BYTES), at)
      at += HASH_BYTES
    }
  }
  return at
}

export function nobleBytes(slice) {
  const out = new Uint8Array(slice.perFix.length * 30 * HASH_BYTES)
  let at = 0
  for (const fix of slice.perFix) {
    const cells = fourCells(fix)
    for (let layer = 0; layer < 3; layer++) at = hashInto(out, at, fix, fix.salts[0], h3IndexToSplitLong(cells[layer]))
  }
  return out
}

/** The cells of PROTOCOL.md §3.1 by h3-js. The corners are the ends of the side towards the fix. */
export function sameCells(slice) {
  const out = new Uint8Array(slice.perFix.length * 30 * HASH_BYTES)
  let at = 0
  for (const fix of slice.perFix) {
    const cell = latLngToCell(fix.lat, fix.lng, RESOLUTION)
    const ids = [cell, ...facingCorners(cell, fix)]
    for (let layer = 0; layer < 3; layer++)
      at = hashInto(out, at, fix, fix.salts[layer], h3IndexToSplitLong(ids[layer]))
  }
  return out
}

/** The ends of the side towards the fix, ascending. Texts of equal length compare as their numbers do. */
function facingCorners(cell, { lat, lng }) {
  const at = toVector(lat, lng)
  const centre = toVector(...cellToLatLng(cell))
  const ids = cellToVertexes(cell)
  // Differences, because the products of whole vectors would lose half a millimetre to rounding.
  const towards = minus(at, centre)
  const left = ids.map((id) => dot(centre, cross(minus(toVector(...vertexToLatLng(id)), centre), towards)) >= 0)
  const k = left.findIndex((isLeft, i) => isLeft && !left[(i + 1) % left.length])
  const [first, second] = [ids[k], ids[(k + 1) % ids.length]]
  return first < second ? [first, second] : [second, first]
}

function toVector(lat, lng) {
  const [phi, lambda] = [(lat * Math.PI) / 180, (lng * Math.PI) / 180]
  return [Math.cos(phi) * Math.cos(lambda), Math.cos(phi) * Math.sin(lambda), Math.sin(phi)]
}
const minus = (u, v) => [u[0] - v[0], u[1] - v[1], u[2] - v[2]]
const dot = (u, v) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2]
const cross = (u, v) => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]]

export function cellsByH3(slice) {
  return slice.fixes.map(({ lat, lng }) => latLngToCell(lat, lng, RESOLUTION))
}
