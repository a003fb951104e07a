/**
 * A seized node: what its process holds in memory, and what its directory holds on the disk. The memory is first written to
 * a file, and the secrets are computed later, so that a search finds only copies that a node left.
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'

const PIECE_BYTES = 1 << 22
/** The longest secret, the draw of a one-time key, may lie across the border of two pieces. */
const SECRET_BYTES = 64
/** Secrets are looked up by their first three bytes. */
const HEAD_BITS = 24

export const hasMemory = existsSync('/proc/self/mem')

/** Writes all writable memory of this process to a file. Returns its bytes. */
export function dumpMemory(path: string): number {
  const [memory, out] = [openSync('/proc/self/mem', 'r'), openSync(path, 'w', 0o600)]
  const piece = Buffer.alloc(PIECE_BYTES)
  let total = 0
  for (const line of readFileSync('/proc/self/maps', 'latin1').split('\n')) {
    const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? []
    if (from === undefined || to === undefined) continue
    const end = Number.parseInt(to, 16)
    for (let at = Number.parseInt(from, 16); at < end; at += PIECE_BYTES) {
      const read = readPiece(memory, piece, Math.min(PIECE_BYTES, end - at), at)
      total += writeSync(out, piece, 0, read)
    }
  }
  closeSync(memory)
  closeSync(out)
  return total
}

/** The names of the secrets that some of these files hold. */
export function searchFiles(paths: readonly string[], secrets: ReadonlyMap<string, Uint8Array>): Set<string> {
  const heads = new Uint8Array(1 << (HEAD_BITS - 3))
  const byHead = new Map<number, [string, Buffer][]>()
  for (const [name, secret] of secrets) {
    const head = secret[0]! | (secret[1]! << 8) | (secret[2]! << 16)
    heads[head >> 3]! |= 1 << (head & 7)
    byHead.set(head, [...(byHead.get(head) ?? []), [name, Buffer.from(secret)]])
  }
  const found = new Set<string>()
  for (const path of paths) {
    eachPiece(path, (piece) => {
      let head = (piece[0]! << 8) | (piece[1]! << 16)
      for (let i = 2; i < piece.length; i++) {
        head = (head >> 8) | (piece[i]! << 16)
        if ((heads[head >> 3]! & (1 << (head & 7))) === 0) continue
        for (const [name, secret] of byHead.get(head)!) {
          if (piece.subarray(i - 2, i - 2 + secret.length).equals(secret)) found.add(name)
        }
      }
    })
  }
  return found
}

/** All files below a folder. */
export function filesBelow(dir: string): string[] {
  return readdirSync(dir).flatMap((name) => {
    const path = join(dir, name)
    return statSync(path).isDirectory() ? filesBelow(path) : [path]
  })
}

function eachPiece(path: string, look: (piece: Buffer) => void): void {
  const file = openSync(path, 'r')
  const piece = Buffer.alloc(PIECE_BYTES)
  for (let at = 0; ; at += PIECE_BYTES - SECRET_BYTES) {
    const read = readSync(file, piece, 0, PIECE_BYTES, at)
    if (read > 0) look(piece.subarray(0, read))
    if (read < PIECE_BYTES) break
  }
  closeSync(file)
}

/** 0 for mapped memory that cannot be read. */
function readPiece(memory: number, piece: Buffer, length: number, at: number): number {
  try {
    return readSync(memory, piece, 0, length, at)
  } catch {
    return 0
  }
}
