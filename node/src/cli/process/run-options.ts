/** The options that `salt run` and `central run` share. node/README.md "Options and defaults". Throws COMMAND_INVALID. */
import { isIP } from 'node:net'
import { addressToParts, isLoopback } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { LOCAL_ADDRESS } from '../../local/local-http.ts'
import { HOST_LIMITS } from '../../net/limits.ts'
import type { Log } from '../../platform/log.ts'
import { addressesToListen, addressToSocket, isSecure, type Ports } from '../identity/addresses.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { collect, defaultDir, portNumber, wholeNumber } from '../terminal/options.ts'
import { type CertificateFiles, certificateFiles } from './certificate-files.ts'

export interface RunOptions {
  dir: string
  federation?: string
  port?: number
  wsPort?: number
  httpsPort?: number
  cert?: string
  key?: string
  listen?: string[]
  localAddress?: string
  healthPort?: number
  metricsPort?: number
  /** The option of the whole command line. */
  logLevel: string
}

export function runOptions(command: Command, role: 'salt' | 'central'): Command {
  return command
    .option('--dir <dir>', 'directory of keys and tables', defaultDir(role))
    .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
    .option('--port <n>', 'TCP port to listen on (default: the port in the federation)', portNumber)
    .option('--ws-port <n>', 'WebSocket port to listen on (default: the port in the federation)', portNumber)
    .option(
      '--https-port <n>',
      'HTTPS and secure WebSocket port to listen on (default: the port in the federation)',
      portNumber,
    )
    .option('--cert <file>', 'certificate chain of the HTTPS port, PEM; reloaded when the file changes')
    .option('--key <file>', 'private key of the certificate, PEM')
    .option('--listen <multiaddr>', 'address to listen on instead of the ports above; may be repeated', collect)
    .option('--local-address <ip>', 'address of this machine to dial from')
    .option('--health-port <n>', 'port on 127.0.0.1 that answers GET /healthz', portNumber)
    .option('--metrics-port <n>', 'port on 127.0.0.1 that answers GET /metrics (Prometheus)', portNumber)
}

type ListenOptions = Pick<RunOptions, 'listen' | 'port' | 'wsPort' | 'httpsPort' | 'cert' | 'key'>

/** The listen addresses. `addresses` are the public addresses of this peer. Throws COMMAND_INVALID. */
export function optionsToListen(options: ListenOptions, addresses: readonly string[]): string[] {
  const { listen: exactly, port, wsPort, httpsPort, cert, key } = options
  if ((cert === undefined) !== (key === undefined))
    invalidCommand('--cert and --key belong together', 'give both options or neither')
  const listen = exactly ?? addressesToListen(withHttps(addresses, httpsPort), toPorts(options))
  if (exactly !== undefined && (port ?? wsPort ?? httpsPort) !== undefined) {
    invalidCommand('--listen already names the ports', 'remove --port, --ws-port and --https-port')
  }
  for (const address of listen) assertListenable(address)
  const secure = listen.find(isSecure)
  if (secure !== undefined && cert === undefined)
    invalidCommand(`listening on ${secure} needs a certificate`, 'add --cert FILE and --key FILE')
  if (secure === undefined && cert !== undefined) invalidCommand('--cert needs a secure port', 'add --https-port PORT')
  return listen
}

/** No two listeners may share a port, which the system reports for one of them only. Throws COMMAND_INVALID. */
export function assertPortsDiffer(
  listen: readonly string[],
  probes: Readonly<Record<`--${string}`, number | undefined>> = {},
): void {
  // A port on all IPv4 addresses and the same port on all IPv6 addresses are two ports.
  const sockets = [
    ...listen.map((address) => ({ user: address, ...addressToSocket(address)! })),
    ...Object.entries(probes).flatMap(([user, port]) =>
      port === undefined ? [] : [{ user, host: LOCAL_ADDRESS, port }],
    ),
  ]
  for (const [i, { user, host, port }] of sockets.entries()) {
    const other = sockets.slice(0, i).find((socket) => socket.port === port && meet(socket.host, host))
    if (other !== undefined)
      invalidCommand(`${other.user} and ${user} name one port, ${port}`, 'give each its own port')
  }
}

function meet(a: string, b: string): boolean {
  const isAll = (host: string, one: string): boolean => host === '0.0.0.0' && !one.includes(':')
  return a === b || isAll(a, b) || isAll(b, a)
}

function assertListenable(address: string): void {
  const { kind = '', host = '', transport = '', peerId } = addressToParts(address) ?? {}
  const isKnown = ['', '/ws', '/tls/ws'].includes(transport) && peerId === undefined
  if (isKnown && kind.startsWith('ip') && isIP(host) === Number(kind.slice(2))) return
  invalidCommand(
    `a listen address expected an IP address of this machine with a TCP port, got ${address === '' ? 'nothing' : address}`,
    'write it as /ip4/0.0.0.0/tcp/4101 or /ip4/0.0.0.0/tcp/4201/ws',
  )
}

/** The TLS certificate that these options name. Throws COMMAND_INVALID, FILE_EXPOSED. */
export function optionsToCertificate(
  { cert, key }: Pick<RunOptions, 'cert' | 'key'>,
  log: Log,
): CertificateFiles | undefined {
  return cert === undefined || key === undefined ? undefined : certificateFiles(cert, key, log)
}

/** Adds a secure port that the options name and the addresses lack, for example because a router forwards to it. */
function withHttps(addresses: readonly string[], httpsPort: number | undefined): readonly string[] {
  if (httpsPort === undefined || addresses.some(isSecure)) return addresses
  // A trial on loopback stays on loopback.
  const local = addresses.every(isLoopback) ? addressToSocket(addresses[0] ?? '')?.host : undefined
  return [...addresses, `/ip4/${local ?? '0.0.0.0'}/tcp/${httpsPort}/tls/ws`]
}

function toPorts({ port, wsPort, httpsPort }: Pick<RunOptions, 'port' | 'wsPort' | 'httpsPort'>): Partial<Ports> {
  return {
    ...(port !== undefined && { tcp: port }),
    ...(wsPort !== undefined && { ws: wsPort }),
    ...(httpsPort !== undefined && { tls: httpsPort }),
  }
}

/** A node with 500 connections and a full quota table stays below this (measured: node/README.md "Cost"). */
const MEMORY_MAX_MIB = 512
/** A node without connections takes some 130 MiB, so with less it would refuse every request and stop. */
const MEMORY_MIN_MIB = 192
/** A thousand gibibytes; a larger number is a mistake. */
const MEMORY_LIMIT_MIB = 1 << 20
/** Fewer connections leave no room for the links between members. */
const CONNECTIONS_MIN = 16
const CONNECTIONS_LIMIT = 100_000
const MB_DAY_LIMIT = 1e9

export interface CapOptions {
  maxMemory: number
  maxConnections: number
  maxMbDay?: number
  /** A file with the networks whose devices may ask. */
  allow?: string
}

export function capOptions(command: Command): Command {
  return command
    .option(
      '--max-memory <MiB>',
      `memory limit, at least ${MEMORY_MIN_MIB}: the node refuses requests near it and stops above it`,
      wholeNumber(MEMORY_MIN_MIB, MEMORY_LIMIT_MIB),
      MEMORY_MAX_MIB,
    )
    .option(
      '--max-connections <n>',
      'limit of open connections',
      wholeNumber(CONNECTIONS_MIN, CONNECTIONS_LIMIT),
      HOST_LIMITS.connections,
    )
    .option(
      '--max-mb-day <MB>',
      'limit of traffic for devices in MB a day (default: no limit)',
      wholeNumber(1, MB_DAY_LIMIT),
    )
    .option(
      '--allow <file>',
      'file with the networks whose devices may ask, one CIDR a line; reloaded when it changes (default: all)',
    )
}
