/**
 * Syncs from end to end. Devices on loopback, each with an address of its own, send sealed syncs through the members of a
 * federation to its central peer. The figures are the CPU of all peers together, and that of the parts of the central peer
 * alone. A member passes 14 syncs a second on, because a reply takes a slot of 500 ms and seven requests are open at a time.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { request as httpsRequest } from 'node:https'
import { fileURLToPath } from 'node:url'
import { systemClock } from '@geotrace/core-wasm'
import { openRequest, sealRequest, secretToSealKey } from '@geotrace/core-wasm/seal'
import {
  bytesToRows,
  decodeCertifiedRoster,
  decodeRosterReply,
  decodeSyncReply,
  encodeRosterRequest,
  encodeSyncRequest,
  hashToRosterName,
  MINUTE_MS,
  manifestToId,
  peerIdToKey,
  RELAY_PROTOCOL,
  REQUEST_HEADER,
  ROSTER_PROTOCOL,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { LOOPBACK_CERTIFICATE } from '../../scripts/loopback-certificates.js'
import { systemRandom } from '../dist/index.js'
import { inLanes, measured, strangeRows } from './central-deposits.js'
import { client, loopback } from './salt-client.js'

const SERVER = fileURLToPath(new URL('sync-server.js', import.meta.url))
/** Syncs of each way. */
const SYNCS = 1_000
/** Rows of the current epoch, because a federation that was just founded takes no older ones. */
const ROWS = 100
const OPEN_PER_MEMBER = 7
const BLOCK = 210
const SEALS = 300

export async function syncRows(progress) {
  const child = fork(SERVER, [], { execArgv: [] })
  try {
    const [manifest] = await once(child, 'message')
    const usage = async () => {
      const answer = once(child, 'message')
      child.send('usage')
      return (await answer)[0]
    }
    const members = manifest.members.map(({ peerId, addresses }) => ({ key: peerIdToKey(peerId), addresses }))
    const certified = await rosterOf(members[0])
    const context = { manifest, members, certified, usage }
    const rows = []
    let next = 0
    for (const [name, send] of [
      ['HTTPS, a connection each', sendByHttps],
      ['libp2p, a connection each', sendByLibp2p],
    ]) {
      progress(`central: ${SYNCS} syncs by ${name} …`)
      const syncs = Array.from({ length: SYNCS }, () => toSync(context, next++))
      const us = await peersUs(context, syncs, send)
      rows.push({
        name: `sync by ${name} (CPU µs of all peers)`,
        against: `${Math.round(1e6 / us)} syncs a second and core`,
        ours: us,
      })
    }
    return [...rows, ...(await partRows(context))]
  } finally {
    child.disconnect()
    await once(child, 'exit')
  }
}

async function rosterOf(member) {
  const host = await client(loopback(BLOCK, 60_000))
  try {
    const get = encodeRosterRequest({ op: 'get', height: 0 })
    return decodeCertifiedRoster(decodeRosterReply(await host.request(member, ROSTER_PROTOCOL, get)))
  } finally {
    await host.stop()
  }
}

function toSync({ manifest, certified }, n) {
  const now = systemClock().now()
  const rows = bytesToRows(strangeRows(ROWS))
  const groups = [{ epoch: timeToEpoch(now), roster: hashToRosterName(certified.hash), rows }]
  const head = { minute: Math.floor(now / MINUTE_MS), userSecret: systemRandom(32), syncId: systemRandom(16) }
  const request = { ...head, report: { kind: 'none' }, generation: 0, cursor: 0, groups }
  const frame = encodeSyncRequest(request, manifest.parameters.syncRequestBytes)
  const sealed = sealRequest(certified.roster.central.seal, manifestToId(manifest), frame, systemRandom)
  return { ...sealed, member: n % manifest.members.length, address: loopback(BLOCK, n) }
}

/** CPU of all peers for a sync, without what they use while nobody syncs. */
async function peersUs({ members, usage }, syncs, send) {
  const [idleBefore, idleMs] = [await usage(), performance.now()]
  await new Promise((resolve) => setTimeout(resolve, 5_000))
  const idle = ((await usage()) - idleBefore) / (performance.now() - idleMs)
  const [before, startMs] = [await usage(), performance.now()]
  await inLanes(
    syncs,
    async (sync) => {
      const reply = decodeSyncReply(await patiently(async () => sync.openReply(await send(members[sync.member], sync))))
      if (reply.refused.length > 0) throw new Error(`refused: ${reply.refused[0].reason}`)
    },
    members.length * OPEN_PER_MEMBER,
  )
  return ((await usage()) - before - idle * (performance.now() - startMs)) / syncs.length
}

/** A peer that has just started is BUSY until it has caught up. */
async function patiently(send) {
  for (;;) {
    try {
      return await send()
    } catch (error) {
      if (error.code !== 'BUSY') throw error
      await new Promise((resolve) => setTimeout(resolve, error.data.retryAfterMs))
    }
  }
}

async function sendByLibp2p(member, { frame, address }) {
  const host = await client(address)
  try {
    return await host.request(member, RELAY_PROTOCOL, frame)
  } finally {
    await host.stop()
  }
}

async function sendByHttps({ addresses }, { frame, address }) {
  const [, hostname, port] = addresses
    .map((item) => /^\/ip4\/([^/]+)\/tcp\/(\d+)\/(?:tls\/http|https)/.exec(item))
    .find(Boolean)
  const options = { hostname, port, path: RELAY_PROTOCOL.id, method: 'POST', localAddress: address, agent: false }
  const request = httpsRequest({
    ...options,
    ca: LOOPBACK_CERTIFICATE.cert,
    headers: Object.fromEntries([REQUEST_HEADER]),
  })
  request.end(frame)
  const [response] = await once(request, 'response')
  const chunks = []
  for await (const chunk of response) chunks.push(chunk)
  return new Uint8Array(Buffer.concat(chunks))
}

/** The seal of a sync at the central peer: its request opened, and a reply sealed. */
async function partRows({ manifest }) {
  const secret = systemRandom(32)
  const keys = { secret, key: secretToSealKey(secret) }
  const federation = manifestToId(manifest)
  const [request, reply] = [manifest.parameters.syncRequestBytes[0], manifest.parameters.syncReplyBytes].map(
    systemRandom,
  )
  const frames = Array.from({ length: SEALS }, () => sealRequest(keys.key, federation, request, systemRandom).frame)
  const { us } = await measured(async () => {
    for (const frame of frames) openRequest([keys], federation, frame).sealReply(reply, reply.length, systemRandom)
  })
  return [{ name: 'of it: opening and sealing (CPU µs)', against: 'the central peer', ours: us / SEALS }]
}
