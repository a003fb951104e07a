/** The dialer over libp2p. Its code (libp2p-session.ts) is loaded with the first session. */
import type { Dialer } from './dialer.ts'
import type { Libp2pDialerOptions } from './libp2p-session.ts'

export type { Libp2pDialerOptions }

export function libp2pDialer(options: Libp2pDialerOptions = {}): Dialer {
  return {
    async open() {
      const { openLibp2pSession } = await import('./libp2p-session.ts')
      return openLibp2pSession(options)
    },
  }
}
