/**
 * libp2p's TCP transport behind the front door, and from the local address that one wants. PROTOCOL.md §6.5.
 */
import type { Server } from 'node:net'
import { type TCPOptions, tcp } from '@libp2p/tcp'
import { type DoorInit, guardDoor } from '../guard/admission.ts'
import type { HostLimits } from '../limits.ts'

export function guardedTcp(
  localAddress: string | undefined,
  limits: HostLimits,
  door: DoorInit,
): ReturnType<typeof tcp> {
  const make = tcp(tcpOptions(localAddress, limits))
  return (components) => {
    const transport = make(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options)
      // A part that the listener keeps to itself; a test notices when it is renamed.
      const end = guardDoor((listener as unknown as { readonly server: Server }).server, limits, door)
      const close = listener.close.bind(listener)
      listener.close = async () => {
        const closing = close()
        end()
        await closing
      }
      return listener
    }
    return transport
  }
}

/** `localAddress` reaches net.connect through the dial options, though the type does not name it; `timeout` is until it is open. */
function tcpOptions(localAddress: string | undefined, { connectMs }: HostLimits): TCPOptions {
  const dialOpts = { timeout: connectMs, ...(localAddress !== undefined && { localAddress }) }
  return { dialOpts: dialOpts as NonNullable<TCPOptions['dialOpts']> }
}
