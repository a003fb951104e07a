/**
 * A salt node in the hands of an attacker. The honest node stops, and a host with its key and addresses answers in its place.
 * The attacker holds the node's seeds too, so it can answer right and bend the answer before it signs.
 */
import { DEMO_PHRASE, demoSecret, type Protocol, type Signer, secretToSigner } from '@geotrace/core-wasm/wire'
import { DEMO_OPERATORS } from '../../src/local/local-federation.ts'
import { createHost } from '../../src/net/host.ts'
import type { Handler, Host } from '../../src/net/protocol.ts'
import { silent } from '../../src/platform/log.ts'
import type { Lab } from './lab.ts'

export interface Impostor {
  readonly host: Host
  readonly signer: Signer
  serve(protocol: Protocol, handler: Handler): Promise<void>
  stop(): Promise<void>
}

/** Replaces the `index`-th salt node. */
export async function openImpostor({ federation, clock }: Lab, index: number): Promise<Impostor> {
  const operator = DEMO_OPERATORS[index]!
  const { addresses } = federation.manifest.members.find((member) => member.operator === operator)!
  const secret = demoSecret(DEMO_PHRASE, `peer/${operator}`)
  await federation.saltNodes[index]!.stop()
  const [, , localAddress] = addresses[0]!.split('/')
  const host = await createHost({ secret, listen: addresses, clock, log: silent, localAddress: localAddress! })
  return {
    host,
    signer: secretToSigner(secret),
    serve: (protocol, handler) => host.serve(protocol, handler),
    stop: () => host.stop(),
  }
}
