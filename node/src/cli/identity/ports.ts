/**
 * Whether the ports that a node wants are free, asked by binding them for a moment: libp2p and node:http say a taken
 * port each in their own way, and neither says what to do. Throws PORT_TAKEN.
 */
import { createServer } from 'node:net'
import { FederationError } from '@geotrace/core-wasm/wire'
import { addressToSocket } from './addresses.ts'

/** Undefined when it is free; otherwise the system's code, such as EADDRINUSE, EACCES, EADDRNOTAVAIL. */
export function bindError(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    // As libp2p does: `::` beside `0.0.0.0`.
    server.listen({ host, port, ipv6Only: host.includes(':') }, () => server.close(() => resolve(undefined)))
  })
}

/** The first port of these listening addresses that cannot be had. */
export async function takenPort(listen: readonly string[]): Promise<{ port: number; code: string } | undefined> {
  for (const address of listen) {
    const socket = addressToSocket(address)
    const code = socket && (await bindError(socket.host, socket.port))
    // A machine without IPv6 listens on what it has.
    if (code === undefined || (socket!.host.includes(':') && code !== 'EADDRINUSE')) continue
    return { port: socket!.port, code }
  }
  return undefined
}

export async function assertPortsFree(listen: readonly string[], command: string): Promise<void> {
  const taken = await takenPort(listen)
  if (taken !== undefined) throw portTaken(taken.port, portAdvice(taken.port, taken.code, command))
}

/** What a volunteer does about a port of the network. */
export function portAdvice(port: number, code: string, command: string): string {
  if (code === 'EADDRNOTAVAIL')
    return `this machine has no such address to listen on with port ${port}; name one of its own: ${command} --listen /ip4/0.0.0.0/tcp/${port}`
  if (code === 'EACCES')
    return `port ${port} needs rights that this user has not; take one above 1023: ${command} --port 4101`
  const free = port + 10
  const isWebSocket = port === 4201 || port === 4401
  return [
    `port ${port} is taken by another program, and which one cannot be seen from here (\`${whoHolds(port)}\` may tell).`,
    `  Perhaps this node runs already: geotrace status`,
    `  Otherwise listen elsewhere: ${command} ${isWebSocket ? '--ws-port' : '--port'} ${free}`,
    `  Others still dial ${port}: let your router forward it to ${free} of this machine, or, before the founding, print a`,
    `  new card with \`geotrace salt init --host … ${isWebSocket ? '--ws-port' : '--port'} ${free}\` and send it again.`,
  ].join('\n')
}

/** What a volunteer does about a port of this machine only. */
export function localPortAdvice(port: number, option: string): string {
  return `port ${port} is taken by another program on this machine: choose another with ${option}, and tell whoever asks it (container, scraper)`
}

export function portTaken(port: number, message: string): FederationError<'PORT_TAKEN'> {
  return new FederationError('PORT_TAKEN', message, { port })
}

function whoHolds(port: number): string {
  if (process.platform === 'win32') return `netstat -ano | findstr :${port}`
  return process.platform === 'darwin' ? `lsof -nP -iTCP:${port} -sTCP:LISTEN` : `ss -ltnp 'sport = :${port}'`
}
