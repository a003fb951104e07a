/**
 * Checks the addresses of a node where a person types them, because an address in a founding manifest cannot be corrected.
 * node/README.md "Ports, router, firewall". An error names the place, the value and the rule. Throws COMMAND_INVALID.
 */
import { isIP, isIPv4 } from 'node:net'
import { domainToASCII } from 'node:url'
import {
  ADDRESSES_MAX,
  type AddressParts,
  addressToNetwork,
  addressToParts,
  ipToNetwork,
  type NetworkKind,
} from '@geotrace/core-wasm/wire'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { LISTENED } from './addresses.ts'

/** RFC 1123: labels of letters, digits and dashes. The last label has a letter, otherwise a name looks like an address. */
const NAME =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*(?=[^.]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** The bound of an address in a manifest. */
const ADDRESS_MAX = 256
const FORM_NEXT =
  'write it as /ip4/203.0.113.9/tcp/4101 or /dns/salt.example.org/tcp/4201/ws; after the port stands nothing, /ws, /tls/ws or /tls/http'
const OWN_NEXT = 'leave out /p2p and what follows'

/** The host of `--host` as an address holds it: a name in lower case and ASCII, or an IP address. */
export function readHost(text: string): string {
  const where = '--host expected a public name or an IP address'
  const bare = text.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, '')
  if (bare !== text) invalidCommand(`${where}, got ${text}`, `leave out the scheme and the path: --host ${bare}`)
  if (/^\[.*\]$/.test(text))
    invalidCommand(`${where}, got ${text}`, `leave out the brackets: --host ${text.slice(1, -1)}`)
  const [, name = '', port = ''] = /^([^:]+):(\d+)$/.exec(text) ?? []
  if (port !== '') invalidCommand(`${where}, got ${text}`, `name the port apart: --host ${name} --port ${port}`)
  if (isIP(text) > 0) return assertIp(text, '--host')
  const ascii = domainToASCII(text)
  if (ascii === 'localhost') return '127.0.0.1'
  if (NAME.test(ascii)) return ascii
  return invalidCommand(`${where}, got ${text === '' ? 'nothing' : text}`, 'for example --host salt.example.org')
}

interface Place {
  /** The option or the card that names the addresses. */
  where: string
  /** An address may name its own peer and no other; undefined while the node has no keys. */
  peerId: string | undefined
}

/** Checks complete addresses and returns them without the peer id of their own node. */
export function readAddresses(addresses: readonly string[], place: Place): string[] {
  if (addresses.length > ADDRESSES_MAX)
    invalidCommand(`${place.where} expected at most ${ADDRESSES_MAX} addresses, got ${addresses.length}`, 'name fewer')
  const read = addresses.map((address) => readAddress(address, place))
  const twice = read.find((address, i) => read.indexOf(address) !== i)
  if (twice !== undefined) invalidCommand(`${place.where} names ${twice} twice`, 'name each address once')
  if (read.length > 0) networkOf(read, place.where)
  return read
}

/** The network from which others reach a node with these addresses. Throws COMMAND_INVALID when they lie in different networks. */
export function networkOf(addresses: readonly string[], where: string): NetworkKind {
  const networks = new Map(addresses.map((address) => [addressToNetwork(address), address]))
  const [[network, first], [, second] = []] = [...networks] as [[NetworkKind, string], [NetworkKind, string]?]
  if (second === undefined) return network
  return invalidCommand(
    `${where} expected addresses of one network, got ${first} beside ${second}`,
    'name only public addresses; for a trial on one machine name only loopback addresses',
  )
}

function readAddress(address: string, { where, peerId }: Place): string {
  const refuse = (rule: string, next = FORM_NEXT): never =>
    invalidCommand(`${where} expected ${rule}, got ${address === '' ? 'nothing' : address}`, next)
  const parts = addressToParts(address) ?? refuse('an address with a TCP port')
  const { kind, host, port, transport, peerId: named = peerId } = parts
  if (address.length > ADDRESS_MAX) refuse(`an address of at most ${ADDRESS_MAX} characters`)
  if (!LISTENED.includes(transport)) refuse('a transport that a node listens on')
  if (named !== peerId)
    refuse(peerId === undefined ? 'an address without a peer id' : `an address of the node ${peerId}`, OWN_NEXT)
  return `/${kind}/${kind.startsWith('ip') ? assertHostIp(parts, where) : assertName(host, where)}/tcp/${port}${transport}`
}

function assertHostIp({ kind, host }: AddressParts, where: string): string {
  if (isIP(host) !== Number(kind.slice(2)))
    invalidCommand(`${where} expected an IP address after /${kind}, got ${host}`, FORM_NEXT)
  return assertIp(host, where)
}

function assertName(host: string, where: string): string {
  const name = host.toLowerCase()
  if (name === 'localhost')
    invalidCommand(`${where} expected an IP address for a trial on this machine, got ${host}`, 'write /ip4/127.0.0.1')
  if (!NAME.test(name)) invalidCommand(`${where} expected a name such as salt.example.org, got ${host}`, FORM_NEXT)
  return name
}

function assertIp(ip: string, where: string): string {
  if (ip.includes('%') || ipToNetwork(ip) === undefined) {
    invalidCommand(
      `${where} expected an IP address that other machines can dial, got ${ip}`,
      isIPv4(ip) && ip.startsWith('0.')
        ? 'name the public address or name of this machine; `salt run` listens on all its addresses by itself'
        : 'name the public address or name of this machine',
    )
  }
  return ip
}
