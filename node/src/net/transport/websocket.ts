/**
 * Adds bounds to libp2p's WebSocket transport (@libp2p/websockets 10.1.21). PROTOCOL.md §6.5. The stock transport
 * - keeps a socket that sends nothing, or never completes its request, permanently, and `close` waits for it;
 * - accepts messages of 100 MiB;
 * - has no listener for `error`, so that one malformed frame ends the process;
 * - accepts the page of any site.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import type { Server as SecureServer } from 'node:https'
import type { Server, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { boundWebSockets, WEBSOCKET_MESSAGE_MAX_BYTES } from '@geotrace/core-wasm/transport'
import type { Listener } from '@libp2p/interface'
import { webSockets } from '@libp2p/websockets'
import { multiaddrToUri } from '@multiformats/multiaddr-to-uri'
import { WebSocket } from 'ws'
import { type AdmissionInit, guardAdmission } from '../guard/admission.ts'
import type { HostLimits } from '../limits.ts'
import { boundHeads } from './http-heads.ts'
import { HTTP_HEADERS_MAX_BYTES, type ServeHttps } from './https-listener.ts'
import { type AllowsOrigin, refuseUpgrade, requestToPage } from './origins.ts'
import type { CertificateSource } from './tls-certificate.ts'

type Transport = ReturnType<typeof webSockets>

/** Every engine that the client runs in supports TLS 1.3, which has no renegotiation and no old ciphers. */
const TLS = 'TLSv1.3' as const

/** Private members of the listener; private-members.test.ts checks for them. */
interface Inside {
  readonly server: Server
  /** One of these two servers exists once the listener listens. */
  readonly http?: HttpServer
  readonly https?: SecureServer
  readonly wsServer: {
    readonly options: { maxPayload?: number }
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: Upgraded): void
  }
}
type Upgraded = (socket: WebSocket, request: IncomingMessage) => void

/** Enables addresses that end in `/tls/ws`. `serveHttps` gets every request there that is no WebSocket upgrade. */
export interface SecureInit {
  certificate: CertificateSource
  serveHttps: ServeHttps
}

export function guardedWebSockets(
  limits: HostLimits,
  admission: AdmissionInit,
  allowsOrigin: AllowsOrigin,
  secure?: SecureInit,
): Transport {
  const { upgradeMs } = limits
  const http = { maxHeaderSize: HTTP_HEADERS_MAX_BYTES }
  const https = secure && { ...http, ...secure.certificate.current(), minVersion: TLS, handshakeTimeout: upgradeMs }
  const make = webSockets({ http, ...(https && { https }) })
  return (components) => {
    const transport = boundWebSockets(make(components), { Socket: WebSocket, toUri: multiaddrToUri })
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => guard(createListener(options), limits, admission, allowsOrigin, secure)
    return transport
  }
}

function guard(
  listener: Listener,
  limits: HostLimits,
  admission: AdmissionInit,
  allowsOrigin: AllowsOrigin,
  secure: SecureInit | undefined,
): Listener {
  const inside = listener as unknown as Inside
  const { server, wsServer } = inside
  const sockets = new Set<Socket>()
  wsServer.options.maxPayload = WEBSOCKET_MESSAGE_MAX_BYTES
  const handleUpgrade = wsServer.handleUpgrade.bind(wsServer)
  wsServer.handleUpgrade = (request, socket, head, done) => {
    if (requestToPage(request, allowsOrigin) === 'foreign') return refuseUpgrade(socket)
    handleUpgrade(request, socket, head, (webSocket, asked) => {
      webSocket.on('error', () => webSocket.terminate())
      done(webSocket, asked)
    })
  }
  const end = guardAdmission(server, limits, admission)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  let forget = (): void => {}
  const listen = listener.listen.bind(listener)
  listener.listen = async (address) => {
    const listening = listen(address)
    const { http, https } = inside
    if (http !== undefined) boundHeads(http, 'connection', limits.upgradeMs)
    if (https !== undefined && secure !== undefined) {
      secure.serveHttps(https)
      boundHeads(https, 'secureConnection', limits.upgradeMs)
      forget = secure.certificate.onChange(() => https.setSecureContext(toContext(secure.certificate)))
    }
    await listening
  }
  const close = listener.close.bind(listener)
  listener.close = async () => {
    const closing = close()
    forget()
    end()
    for (const socket of sockets) socket.destroy()
    await closing
  }
  return listener
}

function toContext(certificate: CertificateSource) {
  return { ...certificate.current(), minVersion: TLS } as const
}
