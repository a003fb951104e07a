/**
 * Refuses requests and WebSockets of web pages that are none of the federation's apps. PROTOCOL.md §6.1. Pure but for
 * `refuseUpgrade`. No answer depends on cookies, so this protects no visitor's account. It keeps any page of the web from
 * making its visitors clients, each with an address and a quota of its own.
 */
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { REQUEST_HEADER } from '@geotrace/core-wasm/wire'

/** Whether web pages of this origin may send requests. */
export type AllowsOrigin = (origin: string) => boolean

/** The page that sent a request: `none` for a program that is no browser, `foreign`, or the origin of an app. */
type Page = 'none' | 'foreign' | { readonly origin: string }

/** A browser repeats the preflight request once a day. */
const PREFLIGHT_S = 86_400

export function requestToPage({ headers }: IncomingMessage, allowsOrigin: AllowsOrigin): Page {
  const { origin } = headers
  if (origin === undefined) return 'none'
  return allowsOrigin(origin) ? { origin } : 'foreign'
}

/** Whether a request has the header that makes a browser send a preflight request first. */
export function hasRequestHeader({ headers }: IncomingMessage): boolean {
  const [name, value] = REQUEST_HEADER
  return headers[name] === value
}

/** The headers that let an app read the reply to its request, or to its preflight request. */
export function pageToHeaders(page: Page, isPreflight: boolean): OutgoingHttpHeaders {
  if (typeof page === 'string') return {}
  return {
    'Access-Control-Allow-Origin': page.origin,
    Vary: 'Origin',
    ...(isPreflight && {
      'Access-Control-Allow-Methods': 'POST',
      'Access-Control-Allow-Headers': REQUEST_HEADER[0],
      'Access-Control-Max-Age': PREFLIGHT_S,
    }),
  }
}

/** Answers the upgrade of a WebSocket with 403. */
export function refuseUpgrade(socket: Duplex): void {
  socket.on('error', () => socket.destroy())
  socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy())
}
