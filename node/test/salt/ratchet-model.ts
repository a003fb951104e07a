/** The ratchet, the salts and a sheet's lines by node:crypto alone, written from PROTOCOL.md §5.1 and §5.2. */
import { createHash, createHmac } from 'node:crypto'
import { commitmentsToLine, concatBytes, epochToBlocks, saltToCommitment } from '@geotrace/core-wasm/wire'

export const model = {
  hash: (domain: string, state: Uint8Array) =>
    new Uint8Array(createHash('sha256').update(domain).update(state).digest()),
  salt(leaf: Uint8Array, size: number, n: number) {
    const message = Buffer.alloc(18)
    message.write('geotrace/salt')
    message.writeUInt8(size, 13)
    message.writeUInt32BE(n, 14)
    return new Uint8Array(createHmac('sha256', leaf).update(message).digest())
  },
  line(leaf: Uint8Array, epoch: number) {
    return commitmentsToLine(
      concatBytes(...epochToBlocks(epoch).map(({ size, n }) => saltToCommitment(size, n, model.salt(leaf, size, n)))),
    )
  },
}
