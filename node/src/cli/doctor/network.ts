/**
 * Checks of the network: peers, clock, own addresses. node/README.md "When something is wrong". A peer cannot be asked to
 * dial back, so this machine cannot find out whether others reach it. The findings say so.
 */
import type { Clock } from '@geotrace/core-wasm'
import {
  bytesToHex,
  decodeTimeReply,
  encodeRosterRequest,
  equalBytes,
  isLoopback,
  type PeerAddress,
  ROSTER_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { median, SKEW_MAX_MS } from '../../membership/clock-watch.ts'
import type { Host } from '../../net/protocol.ts'
import { fanOut } from '../../platform/fan-out.ts'
import type { NamedPeer } from '../verify/chain.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

/** Keeps the check below one minute in a federation of any size. */
const PEERS_TRIED_MAX = 48
/** A larger clock offset gives a warning, although the node still serves. */
const DRIFT_MS = 5_000

interface PeersSeen {
  readonly tried: number
  /** Names of those that answered for another federation. */
  readonly strayed: readonly string[]
  /** Names of those that did not answer. */
  readonly silent: readonly string[]
  /** Clock offsets in ms of the peers that answered with their time. */
  readonly offsets: readonly number[]
}

/** Asks every peer for its time and its federation. `federation` is the id of this node's federation. */
export async function askPeers(
  host: Pick<Host, 'request'>,
  peers: readonly NamedPeer[],
  clock: Clock,
  federation: Uint8Array,
): Promise<PeersSeen> {
  const tried = peers.slice(0, PEERS_TRIED_MAX)
  const answered = new Set<string>()
  const others = new Set<string>()
  const offsets: number[] = []
  await fanOut(tried, async (peer) => {
    const asked = clock.now()
    const reply = decodeTimeReply(await host.request(peer, ROSTER_PROTOCOL, encodeRosterRequest({ op: 'time' })))
    answered.add(bytesToHex(peer.key))
    if (equalBytes(reply.federation, federation)) offsets.push((asked + clock.now()) / 2 - reply.time)
    else others.add(bytesToHex(peer.key))
  })
  // In the order of the manifest, because answers come in any order.
  const namesOf = (isWanted: (key: string) => boolean): string[] =>
    tried.filter(({ key }) => isWanted(bytesToHex(key))).map(({ name }) => name)
  const [strayed, silent] = [namesOf((key) => others.has(key)), namesOf((key) => !answered.has(key))]
  return { tried: tried.length, strayed, silent, offsets }
}

/** `isFounded` is whether this node knows a roster, so that others have been online before. */
export function judgePeers({ tried, strayed, silent }: PeersSeen, isFounded: boolean): Finding {
  const answered = tried - silent.length
  const missing = silent.length === 0 ? '' : `; no answer from ${silent.join(', ')}`
  const what = `${answered} of ${tried} peers answer${missing}`
  if (strayed.length > 0) return judgeStrayed(what, strayed, answered)
  if (answered === 0 && tried > 0 && !isFounded)
    return warn(
      'peers',
      what,
      'before the founding no peer may be online yet: ask the other operators whether theirs run',
    )
  if (tried === 0 || answered === 0)
    return fail(
      'peers',
      what,
      'check the network of this machine; a firewall that blocks outgoing TCP also stops the node',
    )
  if (answered * 2 < tried)
    return warn('peers', what, 'ask their operators; if they can reach each other, the fault is on this machine')
  return ok('peers', what)
}

/** A founder who founds twice sends two files; the ids tell them apart. */
function judgeStrayed(what: string, strayed: readonly string[], answered: number): Finding {
  const all = `${what}; of another federation: ${strayed.join(', ')}`
  return strayed.length * 2 > answered
    ? fail(
        'peers',
        all,
        'the federation.json here is of another founding: ask your founder for the right file and its id',
      )
    : warn('peers', all, 'send their operators your federation.json, and compare the federation ids')
}

export function judgeClock(offsetMs: number | undefined): Finding {
  if (offsetMs === undefined)
    return warn(
      'clock',
      'no peer sent its time, so the clock is not checked',
      'check `timedatectl` or a watch, and run `geotrace doctor` again when peers answer',
    )
  const off = Math.abs(offsetMs)
  const what =
    off < 1_000
      ? 'within a second of the median of the peers'
      : `${(off / 1000).toFixed(1)} s ${offsetMs > 0 ? 'fast' : 'slow'}, compared with the median of the peers`
  const next = `turn on time synchronisation: ${process.platform === 'linux' ? 'timedatectl set-ntp true' : 'the setting “set time automatically”'}`
  if (off > SKEW_MAX_MS) return fail('clock', `${what}; above 30 s the node refuses all requests`, next)
  return off > DRIFT_MS ? warn('clock', what, next) : ok('clock', what)
}

/** The median offset as the node computes it: the own clock, with offset 0, counts as one of the values. */
export function offsetsToMedian(offsets: readonly number[]): number | undefined {
  return offsets.length === 0 ? undefined : Math.round(median([0, ...offsets]))
}

/** Dials the public addresses of this node one by one. `host` must open a new connection for every request. */
export async function checkOwnAddresses(host: Pick<Host, 'request'>, self: PeerAddress): Promise<Finding> {
  const [good, bad]: [string[], string[]] = [[], []]
  for (const address of self.addresses) {
    const request = encodeRosterRequest({ op: 'get', height: 0 })
    const reached = await host
      .request({ key: self.key, addresses: [address] }, ROSTER_PROTOCOL, request)
      .then(() => true)
      .catch(() => false)
    ;(reached ? good : bad).push(address)
  }
  const local = self.addresses.every(isLoopback)
  const unknown = local
    ? 'they are loopback addresses, which no other machine reaches'
    : 'this machine cannot find out whether others reach them'
  if (bad.length === 0) return ok('addresses', `own addresses answer on this machine: ${good.join(' ')}; ${unknown}`)
  const next = `forward the port in the router and open it in the firewall; some routers cannot dial their own public address, so ask somebody else to run: nc -vz ${hostAndPort(bad[0]!)}`
  if (good.length > 0)
    return warn(
      'addresses',
      `no answer on this machine from ${bad.join(' ')}; answer from ${good.join(' ')}; ${unknown}`,
      next,
    )
  return warn('addresses', `own addresses do not answer on this machine: ${bad.join(' ')}`, next)
}

function hostAndPort(address: string): string {
  const [, , host, , port] = address.split('/')
  return `${host} ${port}`
}
