/**
 * The check of a running node as a relay: a sealed frame goes through it to the central peer. node/README.md "The relay". The
 * frame holds no sync, so the central peer refuses it under the seal and stores nothing.
 */
import { sealRequest } from '@geotrace/core-wasm/seal'
import {
  type FederationError,
  hexToBytes,
  isFederationError,
  type Manifest,
  manifestToId,
  type PeerAddress,
  RELAY_PROTOCOL,
} from '@geotrace/core-wasm/wire'
import type { Host } from '../../net/protocol.ts'
import { systemRandom } from '../../platform/random.ts'
import { type Finding, ok, warn } from './finding.ts'

/** No version of a sync request. */
const NO_VERSION = 0xff

interface RelayCheck {
  readonly host: Pick<Host, 'request'>
  readonly self: PeerAddress
  readonly manifest: Manifest
  /** Hex. */
  readonly seal: string
}

export async function checkRelay({ host, self, manifest, seal }: RelayCheck): Promise<Finding> {
  const nothing = new Uint8Array(manifest.parameters.syncRequestBytes[0]!).fill(NO_VERSION)
  const sealed = sealRequest(hexToBytes(seal), manifestToId(manifest), nothing, systemRandom)
  try {
    sealed.openReply(await host.request(self, RELAY_PROTOCOL, sealed.frame))
    return ok('relay', 'a sealed frame reaches the central peer through this node, and its key opens it')
  } catch (error) {
    if (!isFederationError(error)) throw error
    return judgeRelay(error)
  }
}

function judgeRelay(error: FederationError): Finding {
  if (isFederationError(error, 'BUSY')) {
    return warn(
      'relay',
      'the central peer does not answer through this node, so devices sync through others',
      'ask the authority whether its peer runs; if other nodes reach it, the fault is on this machine',
    )
  }
  if (isFederationError(error, 'SEAL_UNKNOWN')) {
    return warn(
      'relay',
      'the central peer has no key for the seal of the newest roster, so devices wait for the next one',
      'tell the authority; its peer lost the folder `seals`, or the roster here is old',
    )
  }
  if (isFederationError(error, 'NOT_ALLOWED'))
    return ok('relay', 'not checked, because --allow leaves this machine out')
  return warn('relay', `not checked: ${error.message}`, 'run `geotrace doctor` again in an hour')
}
