/** A conforming client of one salt node: it requests the salts of a phone that moved for an hour. */
import { systemClock } from '@geotrace/core-wasm'
import {
  answerToSalts,
  BLOCK_SIZES_MIN,
  decodeCertifiedRoster,
  decodeRosterReply,
  encodeRosterRequest,
  encodeSaltRequest,
  hashToRosterName,
  MINUTE_MS,
  peerIdToKey,
  ROSTER_PROTOCOL,
  SALT_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import { silent, systemRandom } from '../dist/index.js'
import { createHost } from '../dist/net/host.js'

const HOUR_MIN = 60
/** Block of the addresses of attackers, and of the honest clients behind the same addresses. */
export const ATTACK_BLOCK = 100

/** A host that only sends requests. */
export function client(localAddress) {
  return createHost({ secret: systemRandom(32), listen: [], clock: systemClock(), log: silent, localAddress })
}

/** The `i`-th address of a block of 64,516 loopback addresses. */
export function loopback(block, i) {
  return `127.${block}.${1 + Math.floor(i / 254)}.${1 + (i % 254)}`
}

/** The request for the salt node of a one-node manifest. Checks one answer against the sheet first. */
export async function saltQuestion(manifest, localAddress = loopback(200, 0)) {
  const { peerId, addresses } = manifest.members[0]
  const peer = { key: peerIdToKey(peerId), addresses }
  const host = await client(localAddress)
  try {
    const get = encodeRosterRequest({ op: 'get', height: 0 })
    const certified = decodeCertifiedRoster(decodeRosterReply(await host.request(peer, ROSTER_PROTOCOL, get)))
    const blocks = lastHour(systemClock().now())
    const request = encodeSaltRequest({ roster: hashToRosterName(certified.hash), shard: 0, blocks })
    const answer = await host.request(peer, SALT_PROTOCOL, request)
    answerToSalts(answer, certified, 0, blocks, peer.key)
    return { peer, protocol: SALT_PROTOCOL, request, salts: blocks.length, answerBytes: answer.length }
  } finally {
    await host.stop()
  }
}

/** The salt request of one sync: dial, send, close. Returns the status and the time, ms. */
export async function session({ peer, protocol, request }, localAddress) {
  const host = await client(localAddress)
  const started = performance.now()
  try {
    const [status] = await host.request(peer, protocol, request)
    return { status, ms: performance.now() - started }
  } catch (error) {
    return { status: error.code, ms: performance.now() - started }
  } finally {
    await host.stop()
  }
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Every block that an hour of fixes touches, and the next block of each size. */
function lastHour(now) {
  return BLOCK_SIZES_MIN.flatMap((size) => {
    const [first, last] = [now - HOUR_MIN * MINUTE_MS, now].map((at) => Math.floor(at / (size * MINUTE_MS)))
    return Array.from({ length: last - first + 2 }, (_, i) => ({ size, n: first + i }))
  })
}
