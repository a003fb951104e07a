/**
 * The smallest real federation, in this process: one salt node with one shard, and the central peer, whose vote certifies
 * the roster. The benchmarks and the fault tests request salts from this node.
 */
import { join } from 'node:path'
import { loadCore, systemClock } from '@geotrace/core-wasm'
import { secretToSealKey } from '@geotrace/core-wasm/seal'
import { bytesToHex, completeManifest, keyToPeerId, nonceToCommitment } from '@geotrace/core-wasm/wire'
import { centralPeer, newManifest, saltNode, silent, systemRandom } from '../dist/index.js'
import { freePort } from '../dist/local/loopback.js'
import { nativeSigner } from '../dist/platform/native-signer.js'

const SERVING_POLL_MS = 50

export async function oneNode({ dir, limits = {}, log = silent }) {
  const [core, clock, random] = [await loadCore(), systemClock(), systemRandom]
  const peers = await Promise.all(
    ['salt', 'central'].map(async (operator) => {
      const [secret, operatorSecret, nonce] = [random(32), random(32), random(32)]
      const card = {
        operator,
        operatorKey: bytesToHex(nativeSigner(operatorSecret).key),
        peerId: keyToPeerId(nativeSigner(secret).key),
        addresses: [`/ip4/127.0.0.1/tcp/${await freePort('127.0.0.1')}`],
        commitment: bytesToHex(nonceToCommitment(nonce)),
      }
      return { secret, operatorSecret, nonce, card, dir: join(dir, operator) }
    }),
  )
  const [one, two] = peers
  const parameters = { shards: 1, salting: 'plain', replicas: 1, threshold: 1 }
  const sealSecret = random(32)
  const seal = bytesToHex(secretToSealKey(sealSecret))
  const init = { name: 'bench', members: [one.card], central: { ...two.card, seal }, parameters, at: clock.now() }
  const manifest = completeManifest(newManifest(init), [one.nonce, two.nonce])
  const shared = { manifest, clock, random, log, core }
  const node = saltNode({ ...shared, limits, ...one })
  const central = centralPeer({ ...shared, ...two, sealSecret })
  await Promise.all([node.start(), central.start()])
  const isServing = () => node.status().state === 'serving' && node.status().shards.every(({ held }) => held)
  while (!isServing()) await new Promise((resolve) => setTimeout(resolve, SERVING_POLL_MS))
  return {
    manifest,
    node,
    central,
    async stop() {
      await Promise.all([node.stop(), central.stop()])
    },
  }
}
