/**
 * A peer without a muxer: an honest Noise handshake, then any bytes in the place of yamux. It only answers pings, as long
 * as it reads. Hostile tests of both sides use it, and benchmarks, because its load costs it less than the server.
 */
import { noise } from '@chainsafe/libp2p-noise'
import { polyfillPromise } from '@geotrace/core-wasm'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

polyfillPromise()

export const [DATA, WINDOW_UPDATE, PING, GO_AWAY] = [0, 1, 2, 3]
export const [SYN, ACK, FIN, RST] = [1, 2, 4, 8]
const HEADER_BYTES = 12

/** Dials `count` times from one local address. The Noise handshake shows `identity` instead of the peer's own key. */
export async function rawPeers(address, init) {
  const { muxed, stop } = await dial(address, init)
  return { peers: muxed.map(toPeer), stop }
}

/** Dials once. `stop` ends the peer. */
export async function rawPeer(address, init) {
  const { muxed, stop } = await dial(address, init)
  return { ...toPeer(muxed[0]), stop }
}

async function dial(address, { localAddress, identity, count = 1 } = {}) {
  const muxed = []
  // Inherit the components instead of copying them, because libp2p throws at a read of a missing one.
  const encrypter = (components) =>
    noise()(identity === undefined ? components : Object.create(components, { privateKey: { value: identity } }))
  const node = await createLibp2p({
    transports: [tcp(localAddress === undefined ? {} : { dialOpts: { localAddress } })],
    connectionEncrypters: [encrypter],
    streamMuxers: [noMuxer((connection) => muxed.push(connection))],
    connectionManager: { maxConnections: 10_000 },
    connectionMonitor: { enabled: false },
  })
  try {
    for (let i = 0; i < count; i++) await node.dial(multiaddr(address), { force: true })
  } catch (error) {
    await node.stop()
    throw error
  }
  return { muxed, stop: async () => node.stop() }
}

/** Listens on `listen` and passes each connection to `onPeer`, as a raw peer. */
export async function rawListener(onPeer, listen = ['/ip4/127.0.0.1/tcp/0']) {
  const node = await createLibp2p({
    addresses: { listen },
    transports: [tcp(), webSockets()],
    connectionEncrypters: [noise()],
    streamMuxers: [noMuxer((connection) => onPeer(toPeer(connection)))],
    connectionManager: { inboundConnectionThreshold: 10_000 },
    connectionMonitor: { enabled: false },
  })
  return {
    key: node.peerId.publicKey.raw,
    addresses: node.getMultiaddrs().map((address) => `${address}`.replace(/\/p2p\/.*/, '')),
    stop: async () => node.stop(),
  }
}

/** Negotiates yamux, and passes the connection on before any byte of a frame arrives. */
function noMuxer(onConnection) {
  return () => ({
    protocol: '/yamux/1.0.0',
    createStreamMuxer(connection) {
      onConnection(connection)
      return idleMuxer()
    },
  })
}

function toPeer(connection) {
  const chunks = []
  const listeners = []
  /** False when the connection is closed or its socket is closing. */
  const send = (bytes) => {
    if (connection.status !== 'open') return false
    try {
      connection.send(bytes)
      return true
    } catch {
      return false
    }
  }
  const answerPings = frameReader(({ type, flags, length }) => {
    if (type === PING && flags & SYN) send(frame(PING, ACK, 0, length))
  })
  connection.addEventListener('message', ({ data }) => {
    const bytes = data.slice()
    if (listeners.length === 0) chunks.push(bytes)
    for (const listener of listeners) listener(bytes)
    answerPings(bytes)
  })
  return {
    send: (...parts) => send(parts.length === 1 ? parts[0] : Buffer.concat(parts)),
    /** All bytes received before the first call of `listen`. */
    received: () => Buffer.concat(chunks),
    listen: (listener) => listeners.push(listener),
    /** Stops reading. */
    pause: () => connection.pause(),
    isOpen: () => connection.status === 'open',
    /** Resolves when the other side has closed the connection. */
    closed: new Promise((resolve) => {
      if (connection.status !== 'open') resolve()
      else connection.addEventListener('close', () => resolve(), { once: true })
    }),
  }
}

/** A yamux frame. `length` is the length in its header, which may differ from that of `body`. */
export function frame(type, flags, id, length, body = new Uint8Array(0)) {
  const header = Buffer.alloc(HEADER_BYTES)
  header[1] = type
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(id, 4)
  header.writeUInt32BE(length, 8)
  return Buffer.concat([header, body])
}

export function data(id, flags, body) {
  return frame(DATA, flags, id, body.length, body)
}

/** The names that multistream-select puts before a request. */
export function names(...lines) {
  return Buffer.concat(lines.map((line) => Buffer.concat([Buffer.of(line.length + 1), Buffer.from(`${line}\n`)])))
}

/** A whole request in one packet, sent before the host has agreed to the protocol. */
export function wholeRequest(id, protocol, request) {
  const length = request.length < 0x80 ? [request.length] : [(request.length & 0x7f) | 0x80, request.length >> 7]
  const body = Buffer.concat([names('/multistream/1.0.0', protocol), Buffer.from(length), request])
  return Buffer.concat([frame(WINDOW_UPDATE, SYN, id, 0), data(id, 0, body), frame(WINDOW_UPDATE, FIN, id, 0)])
}

/** Returns a function that takes bytes and calls `onFrame({ type, flags, id, length, body })` for each whole frame. */
export function frameReader(onFrame) {
  let left = Buffer.alloc(0)
  return (bytes) => {
    left = left.length === 0 ? Buffer.from(bytes) : Buffer.concat([left, bytes])
    for (;;) {
      if (left.length < HEADER_BYTES) return
      const [type, flags, id, length] = [left[1], left.readUInt16BE(2), left.readUInt32BE(4), left.readUInt32BE(8)]
      const end = HEADER_BYTES + (type === DATA ? length : 0)
      if (left.length < end) return
      const body = left.subarray(HEADER_BYTES, end)
      left = left.subarray(end)
      onFrame({ type, flags, id, length, body })
    }
  }
}

function idleMuxer() {
  return Object.assign(new EventTarget(), {
    protocol: '/yamux/1.0.0',
    streams: [],
    status: 'open',
    createStream: () => Promise.reject(new Error('a raw peer opens no streams; send frames instead')),
    abort() {},
    async close() {},
  })
}
