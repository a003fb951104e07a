/**
 * The members of libp2p packages that `net` patches or reads although their types do not name them. An update that
 * removes one of them fails here with the package, the member and the file that needs it. The versions are exact for the
 * same reason: the code was read and tested with these.
 */
import '../../src/platform/polyfill.ts'
import { Server as HttpServer } from 'node:http'
import { createRequire } from 'node:module'
import { Server } from 'node:net'
import { noise } from '@chainsafe/libp2p-noise'
import { boundWebSockets } from '@geotrace/core-wasm/transport'
import type { Listener, MessageStream, Stream, StreamMuxer, StreamMuxerFactory, Transport } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { byteStream, streamPair } from '@libp2p/utils'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddrToUri } from '@multiformats/multiaddr-to-uri'
import { createLibp2p } from 'libp2p'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { gossipServices, openGossip } from '../../src/net/gossip.ts'
import { silent } from '../../src/platform/log.ts'

const require = createRequire(import.meta.url)
const EXACT = ['@libp2p/gossipsub', '@libp2p/tcp', '@libp2p/utils', '@libp2p/websockets', '@libp2p/yamux', 'libp2p']

interface Parts {
  listeners: { tcp?: Listener; ws?: Listener }
  /** The connection under each muxer, and the muxer. */
  muxed: { connection: MessageStream; muxer: StreamMuxer }[]
  node: Parameters<typeof openGossip>[0]
}

/** A libp2p node of unpatched packages that keeps its parts. */
async function stock(listen: string[]): Promise<Parts> {
  const listeners: Parts['listeners'] = {}
  const muxed: Parts['muxed'] = []
  const keep =
    <C, T extends Transport>(name: 'tcp' | 'ws', make: (components: C) => T) =>
    (components: C): T => {
      const transport = make(components)
      const createListener = transport.createListener.bind(transport)
      transport.createListener = (options) => {
        const listener = createListener(options)
        listeners[name] = listener
        return listener
      }
      return transport
    }
  const muxer = (): StreamMuxerFactory => {
    const factory = yamux()()
    return {
      protocol: factory.protocol,
      createStreamMuxer(connection) {
        const made = factory.createStreamMuxer(connection)
        muxed.push({ connection, muxer: made })
        return made
      },
    }
  }
  const node = await createLibp2p({
    addresses: { listen },
    transports: [keep('tcp', tcp()), keep('ws', webSockets())],
    connectionEncrypters: [noise()],
    streamMuxers: [muxer],
    services: gossipServices(),
  })
  return { listeners, muxed, node }
}

let server: Parts
let client: Parts
beforeAll(async () => {
  server = await stock(['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.1/tcp/0/ws'])
  client = await stock([])
})
afterAll(async () => {
  await client?.node.stop()
  await server?.node.stop()
})

/** Fails with a sentence unless `member` of `owner` passes `isRight`. */
function expectMember(
  at: string,
  owner: unknown,
  member: string,
  file: string,
  isRight: (value: unknown) => boolean,
): void {
  const value = (owner as Record<string, unknown> | undefined)?.[member]
  const sentence = `${at} has no usable member "${member}" any more; ${file} needs it, so change that file before the update`
  expect(isRight(value), sentence).toBe(true)
}
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isNumber = (value: unknown): boolean => typeof value === 'number'
const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

describe('the private members of libp2p packages', () => {
  it('the muxer and the streams of yamux have the members of yamux-members.ts', async () => {
    await client.node.dial(server.node.getMultiaddrs().filter((address) => !`${address}`.includes('/ws')))
    const file = 'yamux-members.ts of core-wasm'
    const { muxer } = client.muxed.at(-1)!
    for (const name of ['onData', 'handleFrame', 'send', 'onRemoteStream', 'cleanUpStream', '_newStream']) {
      expectMember('the muxer of @libp2p/yamux', muxer, name, file, isFunction)
    }
    for (const name of ['maConn', 'decoder', 'streams']) {
      expectMember('the muxer of @libp2p/yamux', muxer, name, file, isObject)
    }
    const { decoder } = muxer as unknown as { decoder: { buffer: unknown } }
    expectMember('the decoder of @libp2p/yamux', decoder, 'buffer', file, isObject)
    expectMember('the buffer of the decoder of @libp2p/yamux', decoder.buffer, 'byteLength', file, isNumber)
    const stream = await muxer.createStream()
    for (const name of ['state', 'recvWindow', 'recvWindowCapacity']) {
      expectMember('a stream of @libp2p/yamux', stream, name, file, isNumber)
    }
    for (const name of ['handleData', 'sendWindowUpdate']) {
      expectMember('a stream of @libp2p/yamux', stream, name, file, isFunction)
    }
    stream.abort(new Error('the test is done'))
  })

  it('a connection of libp2p shares the array of streams with its muxer', () => {
    const known = client.node.getConnections().some(({ streams }) => streams === client.muxed.at(-1)!.muxer.streams)
    const sentence =
      'a connection of libp2p copies "streams" of its muxer; connections.ts and inbound-streams.ts know it by them'
    expect(known, sentence).toBe(true)
  })

  it('the encrypted connection under a muxer has the member that guarded-yamux.ts patches', () => {
    const { connection } = client.muxed.at(-1)!
    expectMember(
      'the encrypted connection of @libp2p/utils',
      connection,
      'onData',
      'guarded-yamux.ts of core-wasm',
      isFunction,
    )
  })

  it('the connections of the transports have the members that handshake.ts and websocket.ts of core-wasm use', async () => {
    const seen: unknown[] = []
    const gated = await createLibp2p({
      transports: [
        tcp(),
        (components) => {
          const transport = webSockets()(components)
          expectMember(
            'the transport of @libp2p/websockets',
            transport,
            '_connect',
            'websocket.ts of core-wasm',
            isFunction,
          )
          return boundWebSockets(transport, { Socket: WebSocket, toUri: multiaddrToUri })
        },
      ],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      connectionGater: {
        denyDialMultiaddr: () => false,
        denyOutboundConnection: (_peer, connection) => {
          seen.push(connection)
          return false
        },
      },
    })
    for (const address of server.node.getMultiaddrs()) await gated.dial(address, { force: true })
    await gated.stop()
    expect(seen).toHaveLength(2)
    for (const connection of seen) {
      expectMember(
        'a connection of @libp2p/tcp or websockets',
        connection,
        'onData',
        'handshake.ts of core-wasm',
        isFunction,
      )
    }
    const sockets = seen.map((connection) => (connection as { websocket?: unknown }).websocket)
    const webSocket = sockets.find((socket) => socket !== undefined)
    expectMember(
      'a connection of @libp2p/websockets',
      { websocket: webSocket },
      'websocket',
      'websocket.ts of core-wasm',
      isObject,
    )
    expectMember('the socket of @libp2p/websockets', webSocket, 'terminate', 'websocket.ts of core-wasm', isFunction)
  })

  it('the TCP listener has the server that tcp.ts guards', () => {
    const isServer = (value: unknown): boolean => value instanceof Server
    expectMember('the listener of @libp2p/tcp', server.listeners.tcp, 'server', 'transport/tcp.ts', isServer)
  })

  it('the WebSocket listener has the servers that websocket.ts guards', () => {
    const file = 'transport/websocket.ts'
    const listener = server.listeners.ws
    const at = 'the listener of @libp2p/websockets'
    expectMember(at, listener, 'server', file, (value) => value instanceof Server)
    expectMember(at, listener, 'http', file, (value) => value instanceof HttpServer)
    expectMember(at, listener, 'wsServer', file, isObject)
    const { wsServer } = listener as unknown as { wsServer: unknown }
    expectMember('the WebSocketServer of ws', wsServer, 'options', file, isObject)
    expectMember('the WebSocketServer of ws', wsServer, 'handleUpgrade', file, isFunction)
  })

  it('gossipsub has the maps of streams that gossip.ts reads, and opens streams by the method that gossip.ts replaces', async () => {
    const router = client.node.services.gossipsub as unknown as Record<string, Map<string, unknown>>
    for (const name of ['streamsInbound', 'streamsOutbound']) {
      expectMember('@libp2p/gossipsub', router, name, 'gossip.ts', (value) => value instanceof Map)
    }
    expectMember('@libp2p/gossipsub', router, 'createOutboundStream', 'gossip.ts', isFunction)
    for (const { node } of [client, server]) (await openGossip(node, silent, 60_000)).admit(() => true)
    await expect.poll(() => router.streamsOutbound!.size).toBe(1)
    const [outbound] = router.streamsOutbound!.values()
    expectMember('an outbound stream of @libp2p/gossipsub', outbound, 'rawStream', 'gossip.ts', isObject)
  })

  it('a byte stream of @libp2p/utils has the buffer that frame.ts reads', async () => {
    const [stream] = await streamPair()
    const bytes = byteStream(stream as Stream) as unknown as { readBuffer: unknown }
    expectMember('a byte stream of @libp2p/utils', bytes, 'readBuffer', 'transport/frame.ts', isObject)
    expectMember(
      'the buffer of a byte stream of @libp2p/utils',
      bytes.readBuffer,
      'byteLength',
      'transport/frame.ts',
      isNumber,
    )
  })
})

describe('the versions of patched packages', () => {
  for (const name of ['client', 'node']) {
    it(`${name}/package.json names exact and installed versions of the patched packages`, () => {
      const { dependencies } = require(`../../../${name}/package.json`) as { dependencies: Record<string, string> }
      for (const patched of EXACT.filter((item) => item in dependencies)) {
        const sentence = `${name}/package.json must name an exact version of ${patched}, because node/src/net or core-wasm/src/transport patches it`
        expect(dependencies[patched], sentence).toMatch(/^\d+\.\d+\.\d+$/)
      }
    })
  }
})
