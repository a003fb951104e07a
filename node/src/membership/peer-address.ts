/**
 * The form of a peer's address as text. PROTOCOL.md §7.5. Pure.
 */

/** An IP address or a name, a TCP port, a transport that peers dial or that clients use, and perhaps the peer id. */
const FORM =
  /^\/(ip4|ip6|dns|dns4|dns6)\/([^/]+)\/tcp\/([1-9]\d{0,4})(\/ws|\/wss|\/tls\/ws|\/tls\/http|\/https)?(?:\/p2p\/(\w+))?$/i
const PORT_MAX = 65_535

export interface AddressParts {
  kind: 'ip4' | 'ip6' | 'dns' | 'dns4' | 'dns6'
  host: string
  port: number
  /** Empty for TCP, otherwise the part after the port, such as `/ws`. */
  transport: string
  peerId: string | undefined
}

/** Undefined for a text that is no address of a peer. The host is not checked. */
export function addressToParts(address: string): AddressParts | undefined {
  const [, kind = '', host = '', port, transport = '', peerId] = FORM.exec(address) ?? []
  if (kind === '' || Number(port) > PORT_MAX) return undefined
  return { kind: kind.toLowerCase() as AddressParts['kind'], host, port: Number(port), transport, peerId }
}
