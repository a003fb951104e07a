import { generateKeyPair } from '@libp2p/crypto/keys'
import { yamux } from '@libp2p/yamux'
import { describe, expect, it } from 'vitest'
import { hostOptions } from '../../src/net/host-options.ts'
import { HOST_LIMITS } from '../../src/net/limits.ts'

const init = {
  privateKey: await generateKeyPair('Ed25519'),
  listen: ['/ip4/127.0.0.1/tcp/4001', '/ip4/127.0.0.1/tcp/443/tls/ws', '/ip4/127.0.0.1/tcp/443/https'],
  localAddress: undefined,
  limits: HOST_LIMITS,
  admission: { arrivals: { admit: () => true }, onWait() {}, now: () => 0 },
  allowsOrigin: () => false,
  secure: undefined,
  muxer: yamux(),
  gater: {},
}

describe('the options of a host', () => {
  it('libp2p gets every address but those of HTTPS', () => {
    expect(hostOptions(init).addresses.listen).toEqual(init.listen.slice(0, 2))
  })

  it('a host has no service beside gossip and the list of its addresses', () => {
    expect(Object.keys(hostOptions(init).services)).toEqual(['gossipsub', 'greeter', 'listeners'])
  })

  it('a host starts only after its parts are attached', () => {
    expect(hostOptions(init).start).toBe(false)
  })

  it('the agent string names no version', () => {
    const { nodeInfo } = hostOptions(init)
    expect(nodeInfo).toEqual({ name: 'geotrace', version: '1', userAgent: 'geotrace' })
  })

  it('libp2p logs nothing', () => {
    expect(hostOptions(init).logger.forComponent().enabled).toBe(false)
  })
})
