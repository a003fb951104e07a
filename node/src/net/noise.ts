/**
 * The one place that names the Noise package, so that its successor can take its place. PROTOCOL.md §6.1.
 */
export { noise } from '@chainsafe/libp2p-noise'
