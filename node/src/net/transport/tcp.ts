/**
 * libp2p's TCP transport with admission in front of it and a chosen local address for dialling. PROTOCOL.md §6.5.
 */
import type { Server } from 'node:net'
import { type TCPOptions, tcp } from '@libp2p/tcp'
import { type AdmissionInit, guardAdmission } from '../guard/admission.ts'
import type { HostLimits } from '../limits.ts'

export function guardedTcp(
  localAddress: string | undefined,
  limits: HostLimits,
  admission: AdmissionInit,
): ReturnType<typeof tcp> {
  const make = tcp(tcpOptions(localAddress, limits))
  return (components) => {
    const transport = make(components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => {
      const listener = createListener(options)
      // `server` is a private member of the listener; private-members.test.ts checks for it.
      const end = guardAdmission((listener as unknown as { readonly server: Server }).server, limits, admission)
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

/** `localAddress` reaches net.connect through the dial options, although their type lacks it. `timeout` bounds the connect. */
function tcpOptions(localAddress: string | undefined, { connectMs }: HostLimits): TCPOptions {
  const dialOpts = { timeout: connectMs, ...(localAddress !== undefined && { localAddress }) }
  return { dialOpts: dialOpts as NonNullable<TCPOptions['dialOpts']> }
}
