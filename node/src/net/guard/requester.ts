/**
 * Turns an address into the requester that limits and quotas charge: the prefix of one subscriber. PROTOCOL.md §6.5.
 * IPv4 counts by its /32, IPv6 by its /56 inside a /48 fence. An IPv4 address embedded in IPv6 counts as IPv4.
 * A relayed connection shows the address of the relay, so it has no requester.
 */

/** `prefix` and `fence` as in `Requester`. Both are undefined when relayed or not an IP address. */
export interface Source {
  readonly prefix: string | undefined
  readonly fence: string | undefined
}

const NOWHERE: Source = { prefix: undefined, fence: undefined }

/** Requester of a remote multiaddr. */
export function addressToSource(address: string): Source {
  if (address.includes('/p2p-circuit')) return NOWHERE
  const v4 = /^\/ip4\/(\d{1,3}(?:\.\d{1,3}){3})(?:\/|$)/.exec(address)?.[1]
  if (v4 !== undefined) return fromV4(v4.split('.').map(Number))
  // A zone names a network interface of this machine and is no part of the peer's address.
  const v6 = /^(?:\/ip6zone\/[^/]+)?\/ip6\/([0-9a-f:.]+)(?:\/|$)/i.exec(address)?.[1]
  const groups = v6 === undefined ? undefined : textToGroups(v6)
  return groups === undefined ? NOWHERE : fromV6(groups)
}

function fromV4(bytes: readonly number[]): Source {
  if (bytes.some((byte) => byte > 255)) return NOWHERE
  const prefix = `4:${bytes.join('.')}`
  return { prefix, fence: prefix }
}

function fromV6(groups: readonly number[]): Source {
  const embedded = embeddedV4(groups)
  if (embedded !== undefined) return fromV4(embedded)
  const [a, b, c, d] = groups as [number, number, number, number]
  const fence = `6:${[a, b, c].map(hex).join(':')}`
  return { prefix: `${fence}:${hex(d & 0xff00)}`, fence }
}

/** IPv4-mapped ::ffff:0:0/96, NAT64 64:ff9b::/96, 6to4 2002::/16. */
function embeddedV4(g: readonly number[]): number[] | undefined {
  const last = [g[6]!, g[7]!]
  if (g.slice(0, 5).every((group) => group === 0) && g[5] === 0xffff) return groupsToV4(last)
  if (g[0] === 0x64 && g[1] === 0xff9b && g.slice(2, 6).every((group) => group === 0)) return groupsToV4(last)
  if (g[0] === 0x2002) return groupsToV4([g[1]!, g[2]!])
  return undefined
}

function groupsToV4(groups: readonly number[]): number[] {
  return groups.flatMap((group) => [group >> 8, group & 0xff])
}

/** The eight groups of an IPv6 text (RFC 4291 §2.2), or undefined. */
function textToGroups(text: string): number[] | undefined {
  const dotted = /^(.*:)(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  const plain =
    dotted === null
      ? text
      : `${dotted[1]}${hex(Number(dotted[2]) * 256 + Number(dotted[3]))}:${hex(Number(dotted[4]) * 256 + Number(dotted[5]))}`
  const halves = plain.split('::')
  const [head = [], tail = []] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = 8 - head.length - tail.length
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined
  const groups = [...head, ...Array<string>(halves.length === 2 ? missing : 0).fill('0'), ...tail]
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group)) ? groups.map((g) => Number.parseInt(g, 16)) : undefined
}

function hex(group: number): string {
  return group.toString(16)
}
