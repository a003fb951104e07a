/**
 * The public addresses of a node and the addresses it listens on, as text multiaddrs. node/README.md "Ports, router,
 * firewall". Ports are fixed, so that a forwarding rule of the router and an address in the federation stay valid.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { addressToParts, isLoopback } from '@geotrace/core-wasm/wire'

/** Apps dial `tcp`, browsers dial `ws`. HTTPS clients and pages loaded over https dial `tls`, which needs a certificate. */
export interface Ports {
  tcp: number
  ws: number
  tls?: number
}
export const SALT_PORTS: Ports = { tcp: 4101, ws: 4201 }
/** The transports that a node listens on. */
export const LISTENED: readonly string[] = ['', '/ws', '/tls/ws', '/tls/http']
export const CENTRAL_PORTS: Ports = { tcp: 4301, ws: 4401 }

/** The public addresses of a node on `host`, an IP address or a DNS name. */
export function hostToAddresses(host: string, { tcp, ws, tls }: Ports): string[] {
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns'
  const secure =
    tls === undefined ? [] : ['ws', 'http'].map((protocol) => `/${kind}/${host}/tcp/${tls}/tls/${protocol}`)
  return [`/${kind}/${host}/tcp/${tcp}`, `/${kind}/${host}/tcp/${ws}/ws`, ...secure]
}

/** Whether listening on this address needs a TLS certificate. */
export function isSecure(address: string): boolean {
  return /\/tls\/(ws|http)$/.test(address)
}

/**
 * The listen addresses of a node with these public addresses: every interface, because a router's public address is not
 * an address of this machine. A loopback address stays, so that a trial is reachable from this machine only. An address
 * of another form stays too, and `run` refuses it. `ports` replaces the ports of the addresses.
 */
export function addressesToListen(addresses: readonly string[], ports: Partial<Ports> = {}): string[] {
  const listen = addresses.flatMap((address) => {
    const parts = addressToParts(address)
    if (parts === undefined || parts.peerId !== undefined || !LISTENED.includes(parts.transport)) return [address]
    // Secure WebSocket and HTTPS share one port.
    const suffix = isSecure(address) ? '/tls/ws' : parts.transport
    const port = { '': ports.tcp, '/ws': ports.ws, '/tls/ws': ports.tls }[suffix] ?? parts.port
    if (isLoopback(address)) return [`/${parts.kind}/${parts.host}/tcp/${port}${suffix}`]
    return [`/ip4/0.0.0.0/tcp/${port}${suffix}`, `/ip6/::/tcp/${port}${suffix}`]
  })
  return [...new Set(listen)]
}

/** The host and port that a listener on `address` binds; undefined for an address of another form. */
export function addressToSocket(address: string): { host: string; port: number } | undefined {
  const parts = addressToParts(address)
  return parts && { host: parts.host, port: parts.port }
}
