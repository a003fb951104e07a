/**
 * Writes federation.json, the manifest of the demo federation: loopback addresses, published keys and nonces, and the
 * present builds of the core. Run this script after a change to the core. `npm start` founds a new federation with other ports.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CORE_SHA256 } from '../core-wasm/dist/index.js'
import { DEMO_PHRASE } from '../core-wasm/dist/wire/index.js'
import { DEMO_TOKENS_PER_DAY, demoTokens, newDemoManifest } from '../node/dist/membership/new-manifest.js'
import { root } from './setup.js'

const operators = ['ash', 'birch', 'cedar', 'elm', 'fir', 'authority']
const manifest = newDemoManifest({
  name: 'Geo Trace demo',
  phrase: DEMO_PHRASE,
  peers: operators.map((operator, i) => ({
    operator,
    addresses: [`/ip4/127.0.0.1/tcp/${4101 + i}`, `/ip4/127.0.0.1/tcp/${4201 + i}/ws`],
  })),
  parameters: { tokens: demoTokens(DEMO_PHRASE, DEMO_TOKENS_PER_DAY) },
  at: Date.parse('2026-11-21T00:00:00Z'),
})
writeFileSync(join(root, 'federation.json'), `${JSON.stringify(manifest, null, 2)}\n`)
console.error(
  `federation.json: core ${CORE_SHA256.simd.slice(0, 8)} (SIMD), ${CORE_SHA256.scalar.slice(0, 8)} (scalar)`,
)
