/**
 * Checks whether the ports of a node are free: it binds each of them for a moment. The libraries libp2p and
 * node:http report a taken port in two ways, and neither names the next step. Throws COMMAND_INVALID, PORT_TAKEN.
 */
import { createServer, isIP } from 'node:net'
import { FederationError } from '@geotrace/core-wasm/wire'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { addressToSocket, isSecure } from './addresses.ts'

const PORT_MAX = 65_535
/** Suggested ports lie this far from a taken one. */
const PORT_STEP = 10

/** The system's error code, such as EADDRINUSE, EACCES or EADDRNOTAVAIL; undefined when the port is free. */
export function bindError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    // libp2p binds `::` for IPv6 only as well, so that `0.0.0.0` can be bound beside it.
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => server.close(() => resolve(undefined)))
  })
}

interface UnusablePort {
  address: string
  port: number
  /** The system's error code. */
  code: string
}

/** The first port of these listen addresses that cannot be bound. */
export async function unusablePort(listen: readonly string[]): Promise<UnusablePort | undefined> {
  for (const address of listen) {
    const socket = addressToSocket(address)
    const code = socket && (await bindError(socket.host, socket.port))
    // A machine without IPv6 listens on IPv4 only.
    if (code === undefined || (socket!.host.includes(':') && code !== 'EADDRINUSE')) continue
    return { address, port: socket!.port, code }
  }
  return undefined
}

/** `role` and `dirOption` complete the suggested commands. */
export async function assertPortsFree(
  listen: readonly string[],
  role: 'salt' | 'central',
  dirOption: string,
): Promise<void> {
  const found = await unusablePort(listen)
  if (found === undefined) return
  const { what, next } = portAdvice(found, role, dirOption)
  throw portTaken(found.port, what, next)
}

/** Dialling from an address of another machine fails only later, and once for each peer. Throws COMMAND_INVALID. */
export async function assertLocalAddress(address: string | undefined): Promise<void> {
  if (address === undefined) return
  if (isIP(address) > 0 && (await bindError(address, 0)) === undefined) return
  const what = `--local-address expected an IP address of this machine, got ${address === '' ? 'nothing' : address}`
  invalidCommand(what, 'leave the option out, or name one of the addresses that this machine has')
}

/** Cause and next step for a public port. */
export function portAdvice(
  { address, port, code }: UnusablePort,
  role: 'salt' | 'central',
  dirOption = '',
): { what: string; next: string } {
  const run = `geotrace ${role} run${dirOption}`
  const option = isSecure(address) ? '--https-port' : address.endsWith('/ws') ? '--ws-port' : '--port'
  switch (code) {
    case 'EADDRNOTAVAIL':
      return {
        what: `${address} is not an address of this machine`,
        next: `listen on all addresses: leave --listen out`,
      }
    case 'EACCES':
      return { what: `this user may not listen on port ${port}`, next: `use a port above 1023: ${run} ${option} 4101` }
    case 'EADDRINUSE':
      return { what: `port ${port} is taken by another program`, next: takenSteps(port, option, role, dirOption) }
    default:
      return {
        what: `the system refuses port ${port} with ${code}`,
        next: `choose another port: ${run} ${option} 4101`,
      }
  }
}

function takenSteps(port: number, option: string, role: 'salt' | 'central', dirOption: string): string {
  const free = port + PORT_STEP > PORT_MAX ? port - PORT_STEP : port + PORT_STEP
  return [
    `see whether this node already runs: geotrace status${dirOption}`,
    `See which program has the port: ${holderCommand(port)}`,
    `Listen on another port: geotrace ${role} run${dirOption} ${option} ${free}`,
    `Others still dial ${port}. Let your router forward ${port} to ${free} of this machine. Before the founding you can also`,
    `print a new card with \`geotrace ${role} init --host … ${option} ${free}\` and send it again.`,
  ].join('\n')
}

/** Cause and next step for a port on 127.0.0.1. */
export function localPortTaken(port: number, option: string): FederationError<'PORT_TAKEN'> {
  const next = `choose another port with ${option}, and change it in the container or scraper`
  return portTaken(port, `port ${port} is taken by another program on this machine`, next)
}

function portTaken(port: number, what: string, next: string): FederationError<'PORT_TAKEN'> {
  return new FederationError('PORT_TAKEN', `${what}; ${next}`, { port, next })
}

function holderCommand(port: number): string {
  if (process.platform === 'win32') return `netstat -ano | findstr :${port}`
  return process.platform === 'darwin' ? `lsof -nP -iTCP:${port} -sTCP:LISTEN` : `ss -ltnp 'sport = :${port}'`
}
