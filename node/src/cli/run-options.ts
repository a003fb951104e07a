/** The options that `salt run` and `central run` share. node/README.md "Options and defaults". */
import type { Command } from 'commander'
import { HOST_LIMITS } from '../net/limits.ts'
import { addressesToListen, type Ports } from './addresses.ts'
import { collect, defaultDir, invalid, portNumber, wholeNumber } from './options.ts'

export interface RunOptions {
  dir: string
  federation?: string
  port?: number
  wsPort?: number
  listen?: string[]
  localAddress?: string
  healthPort?: number
  logLevel: string
}

export function runOptions(command: Command, role: 'salt' | 'central'): Command {
  return command
    .option('--dir <dir>', 'keys and tables', defaultDir(role))
    .option('--federation <file>', 'the manifest (default: federation.json in the directory)')
    .option('--port <n>', 'listen for TCP on this port (default: the one in the federation)', portNumber)
    .option('--ws-port <n>', 'listen for WebSocket on this port (default: the one in the federation)', portNumber)
    .option('--listen <multiaddr>', 'listen exactly here; may be repeated', collect)
    .option('--local-address <ip>', 'dial from this address of the machine')
    .option('--health-port <n>', 'answer GET /healthz on this port of 127.0.0.1', portNumber)
    .option('--log-level <level>', 'debug, info, warn, error or silent', 'info')
}

/** Where to listen; `addresses` are those under which others know this peer. */
export function optionsToListen(
  { listen, port, wsPort }: Pick<RunOptions, 'listen' | 'port' | 'wsPort'>,
  addresses: readonly string[],
): string[] {
  if (listen === undefined) {
    const ports: Partial<Ports> = {
      ...(port !== undefined && { tcp: port }),
      ...(wsPort !== undefined && { ws: wsPort }),
    }
    return addressesToListen(addresses, ports)
  }
  if (port !== undefined || wsPort !== undefined) invalid('--listen names the ports; leave --port and --ws-port out')
  return listen
}

/** A node with 500 connections and a full quota table stays below it (measured: see README "Cost"). */
const MEMORY_MAX_MIB = 512

export interface CapOptions {
  maxMemory: number
  maxConnections: number
  maxMbDay?: number
  metricsPort?: number
}

export function capOptions(command: Command): Command {
  return command
    .option('--metrics-port <n>', 'answer GET /metrics (Prometheus) on this port of 127.0.0.1', portNumber)
    .option('--max-memory <MiB>', 'shed load near it, stop beyond it', wholeNumber, MEMORY_MAX_MIB)
    .option('--max-connections <n>', 'open connections at most', wholeNumber, HOST_LIMITS.connections)
    .option('--max-mb-day <MB>', 'traffic for devices at most, on average over a day (default: no limit)', wholeNumber)
}
