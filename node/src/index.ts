/**
 * @geotrace/node: the peers that listen. A volunteer's `saltNode`, the authority's `centralPeer`; both start and stop,
 * take clock, randomness and directory as arguments, and speak the protocols of PROTOCOL.md §7.
 */
export { type CentralPeer, type CentralPeerInit, centralPeer } from './central/peer.ts'
export { type MemberCard, newManifest } from './membership/new-manifest.ts'
export { type Log, silent } from './platform/log.ts'
export { systemRandom } from './platform/random.ts'
export { type SaltNode, type SaltNodeInit, saltNode } from './salt/node.ts'
