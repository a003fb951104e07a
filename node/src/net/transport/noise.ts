/**
 * The one place that names the Noise package, so that its successor can take its place. PROTOCOL.md §6.1.
 * Its X25519 is replaced: it decodes the private key's DER for each of the three exchanges of a handshake, which OpenSSL 3
 * made ten times as dear as the exchange itself (707 µs against 55, Node 20, 2026-11). Here the key stays a key.
 */
import { createPublicKey, diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { type KeyPair, noise as libp2pNoise } from '@chainsafe/libp2p-noise'
import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'

export const noise: typeof libp2pNoise = (init) => libp2pNoise({ ...init, crypto: { ...defaultCrypto, ...x25519() } })

/** RFC 7748 by the host's library, on the keys that it made itself; the bytes are the same. */
export function x25519(): Pick<typeof defaultCrypto, 'generateX25519KeyPair' | 'generateX25519SharedKey'> {
  const keys = new WeakMap<Uint8Array, KeyObject>()
  return {
    generateX25519KeyPair(): KeyPair {
      const { privateKey } = generateKeyPairSync('x25519')
      const { x, d } = privateKey.export({ format: 'jwk' })
      const pair = { publicKey: Buffer.from(x!, 'base64url'), privateKey: Buffer.from(d!, 'base64url') }
      keys.set(pair.privateKey, privateKey)
      return pair
    },
    /** Throws on a point of low order, as RFC 7748 §6.1 asks. */
    generateX25519SharedKey(secret, point) {
      const privateKey = secret instanceof Uint8Array ? keys.get(secret) : undefined
      if (privateKey === undefined) return defaultCrypto.generateX25519SharedKey(secret, point)
      const x = Buffer.from(point.subarray()).toString('base64url')
      const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' })
      return diffieHellman({ privateKey, publicKey })
    },
  }
}
