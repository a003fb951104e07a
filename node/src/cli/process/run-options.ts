/** The options that `salt run` and `central run` share. node/README.md "Options and defaults". */
import { isLoopback } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import { HOST_LIMITS } from '../../net/limits.ts'
import type { Log } from '../../platform/log.ts'
import { addressesToListen, addressToSocket, isSecure, type Ports } from '../identity/addresses.ts'
import { collect, defaultDir, invalidCommand, portNumber, wholeNumber } from '../terminal/options.ts'
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
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
}

/** The listen addresses. `addresses` are the public addresses of this peer. Throws COMMAND_INVALID. */
export function optionsToListen(
  options: Pick<RunOptions, 'listen' | 'port' | 'wsPort' | 'httpsPort' | 'cert' | 'key'>,
  addresses: readonly string[],
): string[] {
  const { listen: exactly, port, wsPort, httpsPort, cert, key } = options
  if ((cert === undefined) !== (key === undefined))
    invalidCommand('--cert and --key belong together; give both or neither')
  const listen = exactly ?? addressesToListen(withHttps(addresses, httpsPort), toPorts(options))
  if (exactly !== undefined && (port ?? wsPort ?? httpsPort) !== undefined) {
    invalidCommand('--listen already names the ports; remove --port, --ws-port and --https-port')
  }
  const secure = listen.find(isSecure)
  if (secure !== undefined && cert === undefined)
    invalidCommand(`listening on ${secure} needs a certificate; add --cert FILE and --key FILE`)
  if (secure === undefined && cert !== undefined) invalidCommand('--cert needs a secure port; add --https-port PORT')
  return listen
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

export interface CapOptions {
  maxMemory: number
  maxConnections: number
  maxMbDay?: number
  metricsPort?: number
}

export function capOptions(command: Command): Command {
  return command
    .option('--metrics-port <n>', 'port on 127.0.0.1 that answers GET /metrics (Prometheus)', portNumber)
    .option(
      '--max-memory <MiB>',
      'memory limit: the node refuses requests near it and stops above it',
      wholeNumber,
      MEMORY_MAX_MIB,
    )
    .option('--max-connections <n>', 'limit of open connections', wholeNumber, HOST_LIMITS.connections)
    .option('--max-mb-day <MB>', 'limit of traffic for devices in MB a day (default: no limit)', wholeNumber)
}
