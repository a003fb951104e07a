/**
 * Attackers in a process of their own: `attackers.js KIND MULTIADDR COUNT`, with COUNT addresses of the loopback.
 * - silent: each address opens a TCP socket that sends nothing, and a new one when the host closes it.
 * - quartets: each address opens four such sockets.
 * - shakers: each address starts a handshake, waits for the host's answer, leaves, and repeats.
 * - streams: each address floods a connection with streams, and dials again when it is closed.
 * - readers: each address sends requests on a connection and reads no answers.
 * - writers: each address sends its requests in frames of one byte.
 * The process sends `ready` to its parent after all addresses have tried, and its counts after the message `stop`.
 */
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { ROSTER_PROTOCOL, SALT_PROTOCOL } from '@geotrace/core-wasm/wire'
import { data, frame, names, rawPeer, SYN, WINDOW_UPDATE, wholeRequest } from '../../core-wasm/bench/raw-peer.js'
import { ATTACK_BLOCK, loopback } from './salt-client.js'

const [kind, address, count] = process.argv.slice(2)
const [, , host, , port] = address.split('/')
const AGAIN_MS = 100
/** The host's answer to the first handshake message: both names, a key, its proof and a signature. */
const ANSWER_BYTES = 200
let isRunning = true
const did = { connections: 0, refused: 0, streams: 0, answered: 0 }

function silent(i) {
  const socket = connect({ host, port: Number(port), localAddress: loopback(ATTACK_BLOCK, i) })
  socket.on('error', () => {})
  socket.once('connect', () => did.connections++)
  socket.once('close', () => isRunning && setTimeout(silent, AGAIN_MS, i))
}

/** The first Noise message is a key, and any 32 bytes are valid. The host's answer costs an exchange and a signature. */
function shakes(i) {
  const socket = connect({ host, port: Number(port), localAddress: loopback(ATTACK_BLOCK, i) })
  socket.on('error', () => {})
  socket.once('connect', () => {
    did.connections++
    socket.write(Buffer.concat([names('/multistream/1.0.0', '/noise'), Buffer.of(0, 32), randomBytes(32)]))
  })
  let received = 0
  socket.on('data', (bytes) => {
    received += bytes.length
    if (received < ANSWER_BYTES) return
    did.answered++
    socket.destroy()
  })
  socket.once('close', () => isRunning && setTimeout(shakes, AGAIN_MS, i))
}

/** Undefined when the host refuses the connection. */
async function open(i) {
  const peer = await rawPeer(address, { localAddress: loopback(ATTACK_BLOCK, i) }).catch(() => undefined)
  if (peer === undefined) did.refused++
  else did.connections++
  return peer
}

/** Uses a connection until it is closed, then the next one. */
async function again(i, use, first) {
  for (let peer = first; isRunning; peer = await open(i)) {
    if (peer !== undefined) {
      await use(peer)
      await peer.stop()
    }
    await pause(AGAIN_MS)
  }
}

const ROSTER_GET = Uint8Array.of(1, 0, 0, 0, 0, 0)
const NO_REQUEST = new Uint8Array(16)
const kinds = {
  streams: async (peer) => {
    for (let id = 1; isRunning && peer.isOpen(); id += 2) {
      did.streams++
      peer.send(wholeRequest(id, SALT_PROTOCOL.id, NO_REQUEST))
      if (id % 16 === 1) await pause(1)
    }
  },
  readers: async (peer) => {
    peer.pause()
    for (let id = 1; isRunning && peer.isOpen(); id += 2) {
      did.streams++
      peer.send(wholeRequest(id, ROSTER_PROTOCOL.id, ROSTER_GET))
      await pause(60)
    }
  },
  writers: async (peer) => {
    for (let id = 1; isRunning && peer.isOpen(); id += 2) {
      did.streams++
      peer.send(frame(WINDOW_UPDATE, SYN, id, 0), data(id, 0, names('/multistream/1.0.0', SALT_PROTOCOL.id)))
      for (const byte of [0xff, 0x03, ...NO_REQUEST]) {
        await pause(40)
        if (!isRunning || !peer.send(data(id, 0, Uint8Array.of(byte)))) return
      }
    }
  },
}

for (let i = 0; i < Number(count); i++) {
  if (kind === 'silent') silent(i)
  else if (kind === 'quartets') for (let socket = 0; socket < 4; socket++) silent(i)
  else if (kind === 'shakers') shakes(i)
  else again(i, kinds[kind], await open(i))
  if (i % 20 === 19) await pause(10)
}
await pause(500)
process.send('ready')
process.once('message', () => {
  isRunning = false
  process.send(did, () => process.exit())
})
process.on('disconnect', () => process.exit())
