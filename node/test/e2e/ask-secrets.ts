/** Asks one salt node of a federation of processes for what it gives to devices, as a client does. */
import { libp2pDialer } from '@geotrace/client/node'
import { evaluationVerifier, loadGroup } from '@geotrace/core-wasm/voprf'
import {
  answerToSalts,
  assertCertified,
  BLOCK_SIZES_MIN,
  type Block,
  bytesToHex,
  type CertifiedRoster,
  decodeCertifiedRoster,
  decodeEvaluateAnswer,
  decodeRosterReply,
  demoSecret,
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  encodeRosterRequest,
  encodeSaltRequest,
  equalBytes,
  evaluationToLie,
  hashToRosterName,
  isSignedEvaluation,
  keyToShards,
  type Manifest,
  MINUTE_MS,
  manifestToPredecessor,
  type Protocol,
  partCount,
  ROSTER_PROTOCOL,
  requestToShape,
  SALT_PROTOCOL,
  secretToSigner,
  shardToReplicas,
  sheetEpochs,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { loopbackAddresses } from '../../src/local/loopback.ts'

const group = await loadGroup()
const verifier = evaluationVerifier(group)

/** A node with its certified roster and its first shard there. */
interface Asked {
  key: Uint8Array
  certified: CertifiedRoster
  shard: number
  request(protocol: Protocol, frame: Uint8Array): Promise<Uint8Array>
}

/** The blocks of each size at a time: the current block, the one before and the next. */
export function blocksAt(atMs: number): Block[] {
  return BLOCK_SIZES_MIN.flatMap((size) => {
    const n = Math.floor(atMs / (size * MINUTE_MS))
    return [n - 1, n, n + 1].map((item) => ({ size, n: item }))
  })
}

/** All salts that the node of an operator gives now for its first shard, checked against the sheet, in hex. */
export function askSalts(manifest: Manifest, operator: string, blocks: Block[]): Promise<string[]> {
  return ask(manifest, operator, async ({ key, certified, shard, request }) => {
    const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
    return answerToSalts(await request(SALT_PROTOCOL, frame), certified, shard, blocks, key).salts.map(bytesToHex)
  })
}

/** The evaluations that the node makes of twelve fixed elements for its first shard and the epoch of a time, in hex. */
export function askEvaluations(manifest: Manifest, operator: string, atMs: number): Promise<string[]> {
  return ask(manifest, operator, async ({ key, certified, shard, request }) => {
    const elements = [Array.from({ length: 12 }, (_, i) => group.fromHash(group.sha512(Uint8Array.of(i))))]
    const name = hashToRosterName(certified.hash)
    const asked = { roster: name, shard, wantsKeys: true, epochs: [timeToEpoch(atMs)], elements }
    const frame = encodeEvaluateRequest(asked)
    const { replicas, threshold, sheets, firstEpoch } = certified.roster
    const shape = requestToShape(asked, partCount(replicas, threshold))
    const answer = decodeEvaluateAnswer(await request(EVALUATE_PROTOCOL, frame), shape)
    const sheet = { root: sheets[shard]!, firstEpoch, epochs: sheetEpochs(certified.roster) }
    const rank = shardToReplicas(certified.roster, shard).findIndex((member) => equalBytes(member.key, key))
    const lie = evaluationToLie(asked, answer, 0, sheet, { replicas, threshold, rank }, [], verifier)
    if (lie !== undefined || !isSignedEvaluation(key, frame, answer)) throw new Error(lie ?? 'its signature fails')
    return answer.epochs[0]!.evaluated.map(bytesToHex)
  })
}

async function ask<T>(manifest: Manifest, operator: string, what: (asked: Asked) => Promise<T>): Promise<T> {
  const [localAddress] = await loopbackAddresses(3, 1)
  const session = await libp2pDialer({ localAddress: localAddress! }).open()
  try {
    const { key } = secretToSigner(demoSecret(manifest.demo!.phrase, `peer/${operator}`))
    const { addresses } = manifest.members.find((member) => member.operator === operator)!
    const request = (protocol: Protocol, frame: Uint8Array) => session.request({ key, addresses }, protocol, frame)
    const reply = await request(ROSTER_PROTOCOL, encodeRosterRequest({ op: 'get', height: 0 }))
    const certified = decodeCertifiedRoster(decodeRosterReply(reply)!)
    assertCertified(manifestToPredecessor(manifest), certified)
    return await what({ key, certified, shard: keyToShards(certified.roster, key)[0]!, request })
  } finally {
    await session.close()
  }
}
