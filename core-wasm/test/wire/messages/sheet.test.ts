import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as wire from '../../../src/wire/index.ts'

const sha = (...parts: Uint8Array[]) => createHash('sha256').update(Buffer.concat(parts)).digest()

describe('a commitment', () => {
  it('a commitment is SHA-256 of domain, size, n and salt, and a line is SHA-256 of 31 commitments', () => {
    const salt = sha(Buffer.from('a salt'))
    const head = Buffer.from([40, 0x01, 0x02, 0x03, 0x04])
    expect(Buffer.from(wire.saltToCommitment(40, 0x01020304, salt))).toEqual(
      sha(Buffer.from('geotrace/commit'), head, salt),
    )
    const commitments = Array.from({ length: 31 }, (_, i) => sha(Buffer.from(`commitment ${i}`)))
    expect(Buffer.from(wire.commitmentsToLine(new Uint8Array(Buffer.concat(commitments))))).toEqual(sha(...commitments))
    expect(() => wire.commitmentsToLine(new Uint8Array(30 * 32))).toThrow(RangeError)
  })
})
