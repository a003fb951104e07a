/**
 * `geotrace verify federation`: replays all rosters from the founding, from the manifest alone. PROTOCOL.md §4.6, §7.3.
 * Two peers, or those that the person names, hand out their chains. Each chain is checked by itself, and all must agree.
 * Exit code 1 when a check fails or two chains differ. Throws COMMAND_INVALID, MANIFEST_INVALID.
 */
import { oneAtATime, systemClock } from '@geotrace/core-wasm'
import {
  addressToParts,
  bytesToHex,
  type CertifiedRoster,
  decodeChange,
  decodeNewsReply,
  EPOCH_MS,
  encodeRosterRequest,
  hashToRosterName,
  isFederationError,
  keyToPeerId,
  type Manifest,
  manifestToId,
  type PeerAddress,
  peerIdToKey,
  ROSTER_PROTOCOL,
  type RosterChain,
  RosterFollower,
  type RosterRecords,
  rosterChain,
  STEP_FORM,
} from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { changeToText } from '../../admin/membership-routes.ts'
import { plural } from '../../admin/page/words.ts'
import { createHost } from '../../net/host.ts'
import type { Host } from '../../net/protocol.ts'
import { silent } from '../../platform/log.ts'
import { systemRandom } from '../../platform/random.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, readManifest } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { minute } from '../terminal/times.ts'

const PEERS_MAX = 16
const SECRET_BYTES = 32
/** No epoch comes after this one, so a request from it brings no pins. */
const NO_PINS = 0xffffffff

export interface NamedPeer extends PeerAddress {
  readonly name: string
}
/** A roster as its step proves it. */
interface ProvedRoster {
  height: number
  name: string
  firstEpoch: number
  /** Names of the operators that voted for it. */
  votes: string[]
  /** The hash of the core that makes risk hashes. */
  core: string
  /** The id of the release that the operators agreed on. */
  release?: string
  changes: string[]
}
/** The chain that one peer handed out. */
interface ProvedChain {
  peer: string
  rosters: ProvedRoster[]
  /** Why the chain ends where it ends, when a check failed or the peer did not answer. */
  problem?: string
}

export function chainCommand(command: Command, out: Output): void {
  command
    .description('replay the rosters of a federation from its founding, as two of its peers hand them out')
    .argument('[peer...]', 'operators of the manifest, or addresses that end in /p2p/PEER-ID (default: two at random)')
    .option('--federation <file>', 'manifest of the federation', 'federation.json')
    .action(async (names: string[], { federation }: { federation: string }) => {
      const manifest = readManifest(federation)
      const peers = toPeers(manifest, names)
      print(await replayAll(manifest, peers, out), manifest, out)
    })
  examples(
    command,
    'geotrace verify federation --federation federation.json',
    'geotrace verify federation ash birch cedar',
  )
}

function replayAll(manifest: Manifest, peers: readonly NamedPeer[], out: Output): Promise<ProvedChain[]> {
  return asStranger(async (host) => {
    const chains: ProvedChain[] = []
    for (const peer of peers) chains.push(await replayFrom(host, manifest, peer, out))
    return chains
  })
}

/** Runs a task with a host that nobody knows. */
export async function asStranger<T>(task: (host: Host) => Promise<T>): Promise<T> {
  const host = await createHost({ secret: systemRandom(SECRET_BYTES), listen: [], clock: systemClock(), log: silent })
  try {
    return await task(host)
  } finally {
    await host.stop()
  }
}

/** The chain of one peer, each roster checked against the one before. It is replayed into `chain`. */
export async function replayFrom(
  host: Pick<Host, 'request'>,
  manifest: Manifest,
  peer: NamedPeer,
  out: Pick<Output, 'progress'>,
  chain: RosterChain = rosterChain(manifest),
): Promise<ProvedChain> {
  const rosters: ProvedRoster[] = []
  /** Names of the operators of each roster, by height. */
  const operators: string[][] = []
  const follower = new RosterFollower({
    chain,
    form: STEP_FORM,
    records: NO_RECORDS,
    turn: oneAtATime(),
    onTake(path) {
      for (const certified of path) {
        const { height } = certified.roster
        operators[height] = certified.roster.operators.map(({ name }) => name)
        // A later roster can overtake an earlier one of the same height. The founders vote for the founding roster.
        rosters.splice(height, rosters.length, toProved(certified, operators[Math.max(0, height - 1)]!))
      }
      out.progress(`${peer.name}: ${plural(rosters.length, 'roster')} …`)
    },
  })
  try {
    await follower.follow(async (height) => {
      const request = encodeRosterRequest({ op: 'news', height, epoch: NO_PINS })
      return decodeNewsReply(await host.request(peer, ROSTER_PROTOCOL, request)).step
    })
    const problem = rosters.length === 0 ? 'the peer knows no roster yet' : undefined
    return { peer: peer.name, rosters, ...(problem !== undefined && { problem }) }
  } catch (error) {
    if (!isFederationError(error)) throw error
    return { peer: peer.name, rosters, problem: error.message }
  }
}

/** Heights at which two chains name different rosters. A chain that only ends earlier is behind, not different. */
export function disagreements(chains: readonly ProvedChain[]): number[] {
  const heights = new Map<number, Set<string>>()
  for (const { rosters } of chains) {
    for (const { height, name } of rosters) heights.set(height, (heights.get(height) ?? new Set()).add(name))
  }
  return [...heights].filter(([, names]) => names.size > 1).map(([height]) => height)
}

function print(chains: readonly ProvedChain[], manifest: Manifest, out: Output): void {
  const different = disagreements(chains)
  const isSound = different.length === 0 && chains.every(({ problem }) => problem === undefined)
  const federation = bytesToHex(manifestToId(manifest))
  out.json({ ok: isSound, federation, disagreements: different, chains })
  const longest = chains.reduce((a, b) => (b.rosters.length > a.rosters.length ? b : a))
  out.line(`Federation ${federation.slice(0, 16)}, as ${longest.peer} hands it out:`)
  for (const roster of longest.rosters) for (const line of rosterLines(roster)) out.line(line)
  for (const { peer, rosters, problem } of chains) {
    out.line(`${peer}: ${plural(rosters.length, 'roster')} checked${problem === undefined ? '' : `; ${problem}`}`)
  }
  for (const height of different) out.line(`Roster ${height} differs between the peers.`)
  if (isSound) out.line('Every roster follows from the one before, with the votes of a quorum. All peers agree.')
  else out.note('Ask the operators which chain is right, and name other peers: geotrace verify federation PEER…')
  out.note('This proves what the operators agreed on. What runs on their machines cannot be proved.')
  if (!isSound) out.fails()
}

function rosterLines({ height, name, firstEpoch, votes, core, release, changes }: ProvedRoster): string[] {
  const built = `core ${core.slice(0, 8)}  release ${release?.slice(0, 16) ?? 'none'}`
  const head = `${height}  ${name}  from ${minute(firstEpoch * EPOCH_MS)}  ${built}  votes: ${votes.join(', ')}`
  return [head, ...changes.map((change) => `    ${change}`)]
}

function toProved(certified: CertifiedRoster, voters: readonly string[]): ProvedRoster {
  const { roster, hash, votes } = certified
  return {
    height: roster.height,
    name: bytesToHex(hashToRosterName(hash)),
    firstEpoch: roster.firstEpoch,
    votes: votes.map(({ operator }) => voters[operator] ?? `operator ${operator}`),
    core: bytesToHex(roster.core.simd),
    ...(roster.release && { release: bytesToHex(roster.release) }),
    changes: roster.changes.map((encoded) => changeToText(decodeChange(encoded).change, certified)),
  }
}

/** Throws COMMAND_INVALID. */
export function toPeers(manifest: Manifest, names: readonly string[]): NamedPeer[] {
  const known = [...manifest.members, manifest.central].map(({ operator, peerId, addresses }) => ({
    name: operator,
    key: peerIdToKey(peerId),
    addresses,
  }))
  if (names.length === 0) return drawTwo(known)
  if (names.length > PEERS_MAX)
    return invalidCommand(`expected at most ${PEERS_MAX} peers, got ${names.length}`, 'name fewer')
  return names.map((name) => known.find((peer) => peer.name === name) ?? addressToPeer(name, known))
}

function addressToPeer(address: string, known: readonly NamedPeer[]): NamedPeer {
  const peerId = addressToParts(address)?.peerId
  const key = peerId === undefined ? undefined : toKey(peerId)
  if (key !== undefined) return { name: keyToPeerId(key), key, addresses: [address.replace(/\/p2p\/\w+$/, '')] }
  return invalidCommand(
    `expected an operator of the manifest or an address that ends in /p2p/PEER-ID, got ${address}`,
    `the operators are ${known.map(({ name }) => name).join(', ')}`,
  )
}

function toKey(peerId: string): Uint8Array | undefined {
  try {
    return peerIdToKey(peerId)
  } catch {
    return undefined
  }
}

/** Two different peers, so that one liar shows. */
function drawTwo(known: readonly NamedPeer[]): NamedPeer[] {
  const draw = (count: number): number => new DataView(systemRandom(4).buffer).getUint32(0) % count
  const first = draw(known.length)
  const second = (first + 1 + draw(known.length - 1)) % known.length
  return [known[first]!, known[second]!]
}

/** Every chain is replayed from the founding, so nothing is kept. */
const NO_RECORDS: RosterRecords = {
  first: async () => 0,
  get: async () => undefined,
  put: async () => {},
  getFork: async () => undefined,
  putFork: async () => {},
}
