/**
 * Adds bounds to the WebSockets that libp2p's transport (@libp2p/websockets 10.1.21) opens in Node. PROTOCOL.md §6.5.
 * The stock transport takes the global WebSocket, which Node 20 lacks and which accepts messages of 100 MiB and more. A
 * browser has no bound for a message that scripts could set.
 */
import type { MultiaddrConnection } from '@libp2p/interface'
import { WEBSOCKET_MESSAGE_MAX_BYTES } from './limits.ts'

/** Options of the class `WebSocket` of `ws`. */
const OPTIONS = { maxPayload: WEBSOCKET_MESSAGE_MAX_BYTES, perMessageDeflate: false, followRedirects: false } as const

interface Socket {
  binaryType: string
  on(event: 'error', listener: (error: Error) => void): unknown
  once(event: 'open', listener: () => void): unknown
  terminate(): void
}

/** A private member of the transport; private-members.test.ts of the node checks for it. */
interface Inside<A> {
  _connect(address: A, options: { signal?: AbortSignal }): Promise<unknown>
}

interface DialInit<A> {
  /** The class of `ws`. */
  Socket: new (
    uri: string,
    options: typeof OPTIONS,
  ) => Socket
  /** `multiaddrToUri` of @multiformats/multiaddr-to-uri. */
  toUri(address: A): string
}

/** Makes the transport open its sockets with `Socket` and with our bounds. Returns the transport. */
export function boundWebSockets<T extends object, A>(transport: T, { Socket, toUri }: DialInit<A>): T {
  const inside = transport as unknown as Inside<A>
  inside._connect = (address, { signal }) => connect(new Socket(toUri(address), OPTIONS), signal)
  return transport
}

function connect(socket: Socket, signal: AbortSignal | undefined): Promise<Socket> {
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    const stop = (): void => fail(new Error('the dial was cancelled'))
    const fail = (error: Error): void => {
      signal?.removeEventListener('abort', stop)
      socket.terminate()
      reject(error)
    }
    // As in a browser, an error ends the connection. Without a listener it would end the process.
    socket.on('error', fail)
    socket.once('open', () => {
      signal?.removeEventListener('abort', stop)
      resolve(socket)
    })
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}

/**
 * Ends the socket of a closed WebSocket connection; does nothing for other connections. After `abort` the stock transport
 * leaves the socket open, because it closes with a code that no engine accepts.
 */
export function endWebSocket(connection: MultiaddrConnection): void {
  const { websocket } = connection as { websocket?: { terminate?: () => void; close(): void } }
  if (websocket?.terminate !== undefined) websocket.terminate()
  else websocket?.close()
}
