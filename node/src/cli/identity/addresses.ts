/**
 * Where a node is reached and where it listens: multiaddrs as text. node/README.md "Ports, router, firewall".
 * Ports are fixed, so that a router's rule and an address in the federation last.
 */
import { isIPv4, isIPv6 } from 'node:net'
import { isLoopback } from '@geotrace/core-wasm/wire'

/** Apps dial TCP, browsers WebSocket; with a certificate `tls` is for pages that came over https, and for HTTPS itself. */
export interface Ports {
  tcp: number
  ws: number
  tls?: number
}
export const SALT_PORTS: Ports = { tcp: 4101, ws: 4201 }
export const CENTRAL_PORTS: Ports = { tcp: 4301, ws: 4401 }

/** The addresses of a node on `host`, an IP address or a DNS name. */
export function hostToAddresses(host: string, { tcp, ws, tls }: Ports): string[] {
  const kind = isIPv4(host) ? 'ip4' : isIPv6(host) ? 'ip6' : 'dns'
  const secure = tls === undefined ? [] : ['ws', 'http'].map((door) => `/${kind}/${host}/tcp/${tls}/tls/${door}`)
  return [`/${kind}/${host}/tcp/${tcp}`, `/${kind}/${host}/tcp/${ws}/ws`, ...secure]
}

/** Whether listening at this address needs a certificate. */
export function isSecure(address: string): boolean {
  return /\/tls\/(ws|http)$/.test(address)
}

/**
 * Where a node listens whose public addresses these are: on every interface, since behind a router the public address
 * is not this machine's. Loopback addresses stay as they are, so that a trial is not opened to the world; whatever has
 * another form (a proxy in front, say) too, for libp2p to judge. `ports` replaces the ports of the addresses.
 */
export function addressesToListen(addresses: readonly string[], ports: Partial<Ports> = {}): string[] {
  const listen = addresses.flatMap((address) => {
    const match = /^(\/(?:ip4|ip6|dns|dns4|dns6)\/[^/]+)\/tcp\/(\d+)(\/ws|\/tls\/ws|\/tls\/http)?$/.exec(address)
    if (match === null) return [address]
    // Both secure doors stand on one port.
    const suffix = isSecure(address) ? '/tls/ws' : (match[3] ?? '')
    const port = { '': ports.tcp, '/ws': ports.ws, '/tls/ws': ports.tls }[suffix] ?? match[2]
    if (isLoopback(address)) return [`${match[1]}/tcp/${port}${suffix}`]
    return [`/ip4/0.0.0.0/tcp/${port}${suffix}`, `/ip6/::/tcp/${port}${suffix}`]
  })
  return [...new Set(listen)]
}

/** Host and port that listening on `address` binds; undefined when it is not of that form. */
export function addressToSocket(address: string): { host: string; port: number } | undefined {
  const match = /^\/(?:ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/(\d+)/.exec(address)
  return match === null ? undefined : { host: match[1]!, port: Number(match[2]) }
}
