/** A peer that keeps no rules: an honest Noise handshake, and then whatever bytes a test wants where yamux should be. */
import { noise } from '@chainsafe/libp2p-noise'
import type { MessageStream, PrivateKey, StreamMuxer } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'

export const [DATA, WINDOW_UPDATE, PING, GO_AWAY] = [0, 1, 2, 3]
export const [SYN, ACK, FIN, RST] = [1, 2, 4, 8]

export interface RawPeer {
  /** False when the connection is gone. */
  send(...parts: Uint8Array[]): boolean
  /** All that came so far. */
  received(): Uint8Array
  /** Reads no more. */
  pause(): void
  /** Resolves when the other side has closed the connection. */
  readonly closed: Promise<void>
  readonly isOpen: boolean
  stop(): Promise<void>
}

export interface RawPeerInit {
  localAddress?: string
  /** Shown in the Noise handshake instead of its own. */
  identity?: PrivateKey
}

export async function rawPeer(address: string, { localAddress, identity }: RawPeerInit = {}): Promise<RawPeer> {
  let connection: MessageStream | undefined
  const chunks: Uint8Array[] = []
  const encrypter: ReturnType<typeof noise> = (components) =>
    noise()(identity === undefined ? components : { ...components, privateKey: identity })
  const node = await createLibp2p({
    transports: [tcp(localAddress === undefined ? {} : { dialOpts: { localAddress } as object }), webSockets()],
    connectionEncrypters: [encrypter],
    streamMuxers: [
      () => ({
        protocol: '/yamux/1.0.0',
        createStreamMuxer(maConn) {
          connection = maConn
          return idleMuxer()
        },
      }),
    ],
    connectionMonitor: { enabled: false },
  })
  try {
    await node.dial(multiaddr(address))
  } catch (error) {
    await node.stop()
    throw error
  }
  const open = connection!
  open.addEventListener('message', ({ data }) => chunks.push(Uint8Array.from(data.subarray())))
  return {
    send(...parts) {
      if (open.status !== 'open') return false
      open.send(Buffer.concat(parts))
      return true
    },
    received: () => Buffer.concat(chunks),
    pause: () => open.pause(),
    closed: new Promise((resolve) => {
      if (open.status !== 'open') resolve()
      else open.addEventListener('close', () => resolve(), { once: true })
    }),
    get isOpen() {
      return open.status === 'open'
    },
    stop: async () => node.stop(),
  }
}

/** A yamux frame; `length` is what its header says, whatever the body is. */
export function frame(
  type: number,
  flags: number,
  id: number,
  length: number,
  body: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const header = Buffer.alloc(12)
  header[1] = type
  header.writeUInt16BE(flags, 2)
  header.writeUInt32BE(id, 4)
  header.writeUInt32BE(length, 8)
  return Buffer.concat([header, body])
}

export function data(id: number, flags: number, body: Uint8Array): Uint8Array {
  return frame(DATA, flags, id, body.length, body)
}

/** What multistream-select puts before a request. */
export function names(...lines: string[]): Uint8Array {
  return Buffer.concat(lines.map((line) => Buffer.concat([Buffer.of(line.length + 1), Buffer.from(`${line}\n`)])))
}

function idleMuxer(): StreamMuxer {
  return Object.assign(new EventTarget(), {
    protocol: '/yamux/1.0.0',
    streams: [],
    status: 'open' as const,
    createStream: () => Promise.reject(new Error('only bytes')),
    abort() {},
    async close() {},
  }) as unknown as StreamMuxer
}
