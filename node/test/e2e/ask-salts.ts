/** Asks one salt node of a federation of processes for salts, as a client does. */
import { libp2pDialer } from '@geotrace/client/node'
import {
  answerToSalts,
  assertCertified,
  BLOCK_SIZES_MIN,
  type Block,
  bytesToHex,
  decodeCertifiedRoster,
  decodeRosterReply,
  demoSecret,
  encodeRosterRequest,
  encodeSaltRequest,
  hashToRosterName,
  keyToShards,
  type Manifest,
  MINUTE_MS,
  manifestToPredecessor,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
  secretToSigner,
} from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../src/local/loopback.ts'

/** The blocks of each size at a time: the current block, the one before and the next. */
export function blocksAt(atMs: number): Block[] {
  return BLOCK_SIZES_MIN.flatMap((size) => {
    const n = Math.floor(atMs / (size * MINUTE_MS))
    return [n - 1, n, n + 1].map((item) => ({ size, n: item }))
  })
}

/** All salts that the node of an operator gives now for its first shard, checked against the sheet, in hex. */
export async function askSalts(manifest: Manifest, operator: string, blocks: Block[]): Promise<string[]> {
  const [localAddress] = await loopbackAddresses(3, 1)
  const session = await libp2pDialer({ localAddress: localAddress! }).open()
  try {
    const { key } = secretToSigner(demoSecret(manifest.demo!.phrase, `peer/${operator}`))
    const { addresses } = manifest.members.find((member) => member.operator === operator)!
    const reply = await session.request(
      { key, addresses },
      ROSTER_PROTOCOL,
      encodeRosterRequest({ op: 'get', height: 0 }),
    )
    const certified = decodeCertifiedRoster(decodeRosterReply(reply)!)
    assertCertified(manifestToPredecessor(manifest), certified)
    const shard = keyToShards(certified.roster, key)[0]!
    const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
    const { salts } = answerToSalts(
      await session.request({ key, addresses }, SALT_PROTOCOL, request),
      certified,
      shard,
      blocks,
      key,
    )
    return salts.map(bytesToHex)
  } finally {
    await session.close()
  }
}
