/**
 * `geotrace verify node`: asks a salt node as a device would, and checks each answer against the certified sheet of its shard.
 * PROTOCOL.md §5.4, §5.9. Each answer costs the address of this machine a little of its quota.
 * Exit code 1 when an answer is false or none comes. Throws COMMAND_INVALID, MANIFEST_INVALID, PEER_UNREACHABLE.
 */
import {
  answerToSalts,
  bytesToHex,
  type CertifiedRoster,
  decodeEvaluateAnswer,
  decodeGossip,
  decodeRosterReply,
  EPOCH_MIN,
  EPOCH_MS,
  EVALUATE_PROTOCOL,
  encodeEvaluateRequest,
  encodeRosterRequest,
  encodeSaltRequest,
  equalBytes,
  evaluationToLie,
  FederationError,
  hashToRosterName,
  isFederationError,
  isSignedEvaluation,
  isValidPresence,
  keyToShards,
  type Manifest,
  partCount,
  ROSTER_PROTOCOL,
  requestToShape,
  rosterChain,
  SALT_PROTOCOL,
  shardToReplicas,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { Host } from '../../net/protocol.ts'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { systemRandom } from '../../platform/random.ts'
import { examples, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { asStranger, type NamedPeer, replayFrom, toPeers } from './chain.ts'

/** Shards that one run asks about. */
const SHARDS_MAX = 4

interface Checked {
  shard: number
  epoch: number
  isTrue: boolean
  /** Why the answer is false, or why none came. */
  problem?: string
}
/** The answers of a node, and the first bytes of the release that it claims, in hex; undefined when it claims none. */
interface Answers {
  checked: Checked[]
  claim: string | undefined
}
interface Question {
  host: Pick<Host, 'request'>
  peer: NamedPeer
  certified: CertifiedRoster
  shard: number
  epoch: number
}

export function nodeCommand(command: Command, out: Output): void {
  command
    .description('ask a salt node as a device would, and check its answers against the certified sheets')
    .argument('<peer>', 'operator of the manifest, or an address that ends in /p2p/PEER-ID')
    .option('--federation <file>', 'manifest of the federation', 'federation.json')
    .action(async (name: string, { federation }: { federation: string }) => {
      const manifest = readManifest(federation)
      print(name, await checkNode(manifest, toPeers(manifest, [name])[0]!, out), out)
    })
  examples(command, 'geotrace verify node ash --federation federation.json')
}

function checkNode(manifest: Manifest, peer: NamedPeer, out: Output): Promise<Answers> {
  return asStranger(async (host) => {
    const chain = rosterChain(manifest)
    const { problem } = await replayFrom(host, manifest, peer, out, chain)
    const epoch = Math.floor(manifestClock(manifest).now() / EPOCH_MS)
    const certified = chain.inForce(epoch)
    if (certified === undefined) {
      const message = `${peer.name} hands out no roster for now${problem === undefined ? '' : `: ${problem}`}`
      throw new FederationError('PEER_UNREACHABLE', message, { tried: 1 })
    }
    const checked: Checked[] = []
    for (const shard of keyToShards(certified.roster, peer.key).slice(0, SHARDS_MAX)) {
      out.progress(`shard ${shard} …`)
      checked.push(await checkShard(manifest, { host, peer, certified, shard, epoch }))
    }
    return { checked, claim: await askClaim(host, peer) }
  })
}

/** The release in the presence of the node, which its key signed. Undefined without a claim, or without an answer. */
async function askClaim(host: Question['host'], peer: NamedPeer): Promise<string | undefined> {
  try {
    const reply = await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'presence' }))
    const message = decodeRosterReply(reply)
    const presence = message && decodeGossip(message)
    if (presence?.kind !== 'presence' || !equalBytes(presence.key, peer.key) || !isValidPresence(presence))
      return undefined
    return presence.release.some((byte) => byte !== 0) ? bytesToHex(presence.release) : undefined
  } catch (error) {
    if (isFederationError(error)) return undefined
    throw error
  }
}

async function checkShard(manifest: Manifest, question: Question): Promise<Checked> {
  const { shard, epoch } = question
  const ask = question.certified.roster.salting === 'plain' ? askSalt : askEvaluation
  try {
    const lie = await ask(question, manifest)
    return { shard, epoch, isTrue: lie === undefined, ...(lie !== undefined && { problem: lie }) }
  } catch (error) {
    if (!isFederationError(error)) throw error
    return { shard, epoch, isTrue: false, problem: error.message }
  }
}

/** Asks for an evaluation of random elements, the smallest batch. Returns how the answer is false. */
async function askEvaluation(question: Question, manifest: Manifest): Promise<string | undefined> {
  const { evaluationVerifier, loadGroup, randomElement } = await import('@geotrace/core-wasm/voprf')
  const { host, peer, certified, shard, epoch } = question
  const { roster, hash } = certified
  const group = await loadGroup()
  const batch = Math.min(...manifest.parameters.evaluations)
  const elements = [Array.from({ length: batch }, () => randomElement(group, systemRandom))]
  const request = { roster: hashToRosterName(hash), shard, wantsKeys: true, epochs: [epoch], elements }
  const frame = encodeEvaluateRequest(request)
  const bytes = await host.request(peer, EVALUATE_PROTOCOL, frame)
  const parts = partCount(roster.replicas, roster.threshold)
  const answer = decodeEvaluateAnswer(bytes, requestToShape(request, parts))
  if (!isSignedEvaluation(peer.key, frame, answer)) return 'its signature fails'
  const offMs = Math.abs(answer.time - manifestClock(manifest).now())
  if (offMs > SKEW_MAX_MS) return `its clock and ours are ${Math.round(offMs / 1_000)} s apart`
  const sheet = { root: roster.sheets[shard]!, firstEpoch: roster.firstEpoch, epochs: sheetEpochs(roster) }
  const rank = shardToReplicas(roster, shard).findIndex(({ key }) => equalBytes(key, peer.key))
  const place = { replicas: roster.replicas, threshold: roster.threshold, rank }
  return evaluationToLie(request, answer, 0, sheet, place, [], evaluationVerifier(group))
}

/** Asks for the salt of the epoch's longest block. A false answer throws PEER_LIED. */
async function askSalt({ host, peer, certified, shard, epoch }: Question): Promise<undefined> {
  const blocks = [{ size: EPOCH_MIN, n: epoch }]
  const frame = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard, blocks })
  answerToSalts(await host.request(peer, SALT_PROTOCOL, frame), certified, shard, blocks, peer.key)
}

function print(name: string, { checked, claim }: Answers, out: Output): void {
  const isSound = checked.length > 0 && checked.every(({ isTrue }) => isTrue)
  out.json({ ok: isSound, answers: checked, claims: claim ?? null })
  for (const { shard, epoch, problem } of checked) {
    out.line(`shard ${shard}, epoch ${epoch}: ${problem ?? 'the answer is the one that the sheet commits to'}`)
  }
  if (checked.length === 0)
    out.line(`${name} holds no shard now. A node that just joined gets shards with a later roster.`)
  out.line(
    claim === undefined
      ? `${name} claims no release.`
      : `${name} claims release ${claim}, which nobody can check from outside.`,
  )
  out.note('This proves the answers. The program that the node runs cannot be proved.')
  if (!isSound) out.fails()
}
