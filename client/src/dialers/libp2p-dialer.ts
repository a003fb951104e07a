/** The dialer over libp2p (libp2p-session.ts), which is loaded with the first session. */
import type { Dialer } from './dialer.ts'

export interface Libp2pDialerOptions {
  /** Local address that TCP connections leave from. */
  localAddress?: string
  /** Several at once only help when peers are down; each costs a handshake. */
  maxDialsInParallel?: number
  dialTimeoutMs?: number
  /** Each of: opening a stream, writing the request, reading the reply. */
  stepTimeoutMs?: number
}

export function libp2pDialer(options: Libp2pDialerOptions = {}): Dialer {
  return {
    async open() {
      const { openLibp2pSession } = await import('./libp2p-session.ts')
      return openLibp2pSession(options)
    },
  }
}
