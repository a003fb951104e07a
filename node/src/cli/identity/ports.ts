/**
 * Checks whether the ports of a node are free: it binds each of them for a moment. The libraries libp2p and
 * node:http report a taken port in two ways, and neither names the next step. Throws PORT_TAKEN.
 */
import { createServer } from 'node:net'
import { FederationError } from '@geotrace/core-wasm/wire'
import { addressToSocket, CENTRAL_PORTS, SALT_PORTS } from './addresses.ts'

/** The system's error code, such as EADDRINUSE, EACCES or EADDRNOTAVAIL; undefined when the port is free. */
export function bindError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    // libp2p binds `::` for IPv6 only as well, so that `0.0.0.0` can be bound beside it.
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => server.close(() => resolve(undefined)))
  })
}

/** The first port of these listen addresses that cannot be bound. */
export async function takenPort(listen: readonly string[]): Promise<{ port: number; code: string } | undefined> {
  for (const address of listen) {
    const socket = addressToSocket(address)
    const code = socket && (await bindError(socket.host, socket.port))
    // A machine without IPv6 listens on IPv4 only.
    if (code === undefined || (socket!.host.includes(':') && code !== 'EADDRINUSE')) continue
    return { port: socket!.port, code }
  }
  return undefined
}

/** `dirOption` is the --dir option for the suggested commands, empty for the default directory. */
export async function assertPortsFree(listen: readonly string[], command: string, dirOption: string): Promise<void> {
  const taken = await takenPort(listen)
  if (taken !== undefined) throw portTaken(taken.port, portAdvice(taken.port, taken.code, command, dirOption))
}

/** Cause and next step for a public port. */
export function portAdvice(port: number, code: string, command: string, dirOption = ''): string {
  const run = `${command}${dirOption}`
  if (code === 'EADDRNOTAVAIL')
    return `the listen address with port ${port} is not an address of this machine; listen on all: ${run} --listen /ip4/0.0.0.0/tcp/${port}`
  if (code === 'EACCES') return `this user may not listen on port ${port}; use a port above 1023: ${run} --port 4101`
  const free = port + 10
  const option = port === SALT_PORTS.ws || port === CENTRAL_PORTS.ws ? '--ws-port' : '--port'
  return [
    `port ${port} is taken by another program`,
    `  To see whether this node already runs: geotrace status${dirOption}`,
    `  To see which program has the port: ${holderCommand(port)}`,
    `  To listen on another port: ${run} ${option} ${free}`,
    `  Others still dial ${port}. Let your router forward ${port} to ${free} of this machine. Before the founding you can also`,
    `  print a new card with \`geotrace salt init --host … ${option} ${free}\` and send it again.`,
  ].join('\n')
}

/** Cause and next step for a port on 127.0.0.1. */
export function localPortAdvice(port: number, option: string): string {
  return `port ${port} is taken by another program on this machine; choose another with ${option}, and change it in the container or scraper`
}

export function portTaken(port: number, message: string): FederationError<'PORT_TAKEN'> {
  return new FederationError('PORT_TAKEN', message, { port })
}

function holderCommand(port: number): string {
  if (process.platform === 'win32') return `netstat -ano | findstr :${port}`
  return process.platform === 'darwin' ? `lsof -nP -iTCP:${port} -sTCP:LISTEN` : `ss -ltnp 'sport = :${port}'`
}
