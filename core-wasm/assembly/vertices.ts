// The H3 vertex index of a corner, from the face plane alone. PROTOCOL.md §3.2.
import { FACE_STEPS } from './constants'
import { indexToBaseCell, indexToDigits } from './lattice'
import { CROSS, ON_EDGE, PENT, PENTAGONS, TURN } from './tables'

const NOT_A_PENTAGON: u32 = 255
/** The difference between the mode of a cell (1) and the mode of a vertex (4). */
const CELL_TO_VERTEX: u64 = 0x1800000000000000
const VERTEX_NUMBER_SHIFT: u64 = 56

/** The id of a corner of its owner, the cell `index` at (a, b) of `face`. The corner is in `sector`, which may be ≥ 6. */
export function cornerToVertex(index: u64, face: u32, a: i32, b: i32, sector: u32): u64 {
  return (index + CELL_TO_VERTEX) | ((<u64>vertexNumber(index, face, a, b, sector < 6 ? sector : sector - 6)) << VERTEX_NUMBER_SHIFT)
}

function vertexNumber(index: u64, face: u32, a: i32, b: i32, sector: u32): u32 {
  const baseCell = indexToBaseCell(index)
  if (indexToDigits(index) == 0) {
    const pentagon = <u32>load<u8>(PENTAGONS + baseCell)
    if (pentagon != NOT_A_PENTAGON) return load<u8>(PENT + (pentagon * 20 + face) * 6 + sector)
  }
  const v = sector + shiftOf(baseCell, face, a, b)
  return v < 6 ? v : v - 6
}

/** TURN inside the face, CROSS beyond an edge. On an edge, the owner's base cell decides. */
function shiftOf(baseCell: u32, face: u32, a: i32, b: i32): u32 {
  const low = min(min(a, b), 0)
  const reach = a + b - 3 * low
  if (reach < FACE_STEPS) return load<u8>(TURN + face)
  const edge = face * 3 + (a == low ? 0 : b == low ? 1 : 2)
  const crosses = reach > FACE_STEPS || (load<u64>(ON_EDGE + ((edge * 2 + (baseCell >> 6)) << 3)) >> (baseCell & 63)) & 1
  return crosses ? load<u8>(CROSS + edge) : load<u8>(TURN + face)
}
