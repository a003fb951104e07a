/**
 * The dialer over plain HTTPS, for apps that do not carry libp2p. PROTOCOL.md §6.1. Frames and signatures are the same; the
 * TLS certificate of the machine stands for the peer's key. A peer is asked at its addresses that end in `/tls/http`. Throws
 * PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_TOO_LARGE, ABORTED.
 */
import { FederationError } from '@geotrace/core-wasm'
import { bytesToHex, type PeerAddress, type Protocol, REQUEST_HEADER } from '@geotrace/core-wasm/wire'
import { anySignal } from 'any-signal'
import type { Dialer, RequestOptions } from './dialer.ts'

export interface HttpsDialerOptions {
  /** The global `fetch`, unless given. */
  fetch?: typeof fetch
  /** For handshake, request and reply of one address. */
  timeoutMs?: number
}

/** A handshake over a slow mobile link, and a central peer that waits for its disk. */
const TIMEOUT_MS = 25_000
/** Multiaddrs of an HTTPS listener, in both spellings that are in use. */
const ORIGIN = /^\/(ip4|ip6|dns[46]?)\/([^/]+)\/tcp\/(\d{1,5})\/(?:tls\/http|https)(?:\/p2p\/[^/]+)?$/

export function httpsDialer(options: HttpsDialerOptions = {}): Dialer {
  const { timeoutMs = TIMEOUT_MS } = options
  // Looked up at each request, because a page may replace the global `fetch`.
  const ask: typeof fetch = (...init) => (options.fetch ?? globalThis.fetch)(...init)
  return {
    open: async () => ({
      request: (peer, protocol, frame, { signal } = {}) => request(ask, timeoutMs, peer, protocol, frame, signal),
      close: async () => {},
    }),
  }
}

async function request(
  ask: typeof fetch,
  timeoutMs: number,
  peer: PeerAddress,
  protocol: Protocol,
  frame: Uint8Array,
  outer: RequestOptions['signal'],
): Promise<Uint8Array> {
  if (frame.length > protocol.requestMaxBytes) {
    throw new RangeError(`"frame" expected at most ${protocol.requestMaxBytes} bytes, got ${frame.length}`)
  }
  const origins = peer.addresses.map(addressToOrigin).filter((origin) => origin !== undefined)
  let last: unknown = new Error('the peer has no HTTPS address')
  for (const origin of origins) {
    const timeout = AbortSignal.timeout(timeoutMs)
    const signal = anySignal([timeout, outer])
    try {
      return await exchange(ask, `${origin}${protocol.id}`, protocol, frame, signal)
    } catch (error) {
      if (outer?.aborted === true) {
        throw new FederationError('ABORTED', 'the request was aborted', undefined, { cause: error })
      }
      if (error instanceof FederationError) throw error
      if (timeout.aborted) {
        const id = bytesToHex(peer.key)
        const message = `${id} did not answer within ${timeoutMs} ms`
        last = new FederationError('PEER_TIMEOUT', message, { peer: id }, { cause: error })
      } else last = error
    } finally {
      signal.clear()
    }
  }
  if (last instanceof FederationError) throw last
  const data = { tried: origins.length }
  throw new FederationError('PEER_UNREACHABLE', 'the peer cannot be reached by HTTPS', data, { cause: last })
}

async function exchange(
  ask: typeof fetch,
  url: string,
  { replyMaxBytes }: Protocol,
  frame: Uint8Array,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const response = await ask(url, {
    method: 'POST',
    // With this header a browser asks first whether the page may send requests.
    headers: [[...REQUEST_HEADER]],
    body: Uint8Array.from(frame),
    signal,
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw new Error(`HTTP status ${response.status}`)
  }
  return readBody(response, replyMaxBytes)
}

/** Throws MESSAGE_TOO_LARGE as soon as more than `maxBytes` have arrived. */
async function readBody({ body }: Response, maxBytes: number): Promise<Uint8Array> {
  if (body === null) return new Uint8Array(0)
  const reader = body.getReader()
  // One buffer: a list of chunks of one byte would take a hundred times their size.
  const reply = new Uint8Array(maxBytes)
  let size = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return reply.slice(0, size)
    if (size + value.length > maxBytes) {
      await reader.cancel()
      const data = { size: size + value.length, max: maxBytes }
      throw new FederationError('MESSAGE_TOO_LARGE', `a reply larger than ${maxBytes} bytes`, data)
    }
    reply.set(value, size)
    size += value.length
  }
}

/** `https://host:port`; undefined for the addresses of other listeners. */
function addressToOrigin(address: string): string | undefined {
  const [, kind, host, port] = ORIGIN.exec(address) ?? []
  if (host === undefined) return undefined
  return `https://${kind === 'ip6' ? `[${host}]` : host}:${port}`
}
