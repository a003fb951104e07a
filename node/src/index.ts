/**
 * @geotrace/node: the peers that listen. `saltNode` is a volunteer's node, `centralPeer` is the authority's peer. Both have
 * `start` and `stop`, take clock, randomness and directory as arguments, and implement the protocols of PROTOCOL.md §7.
 */
export type { CentralPeerInit } from './central/opening.ts'
export { type CentralPeer, centralPeer } from './central/peer.ts'
export { type MemberCard, newManifest } from './membership/new-manifest.ts'
export { type Log, silent } from './platform/log.ts'
export { systemRandom } from './platform/random.ts'
export { type SaltNode, saltNode } from './salt/node.ts'
export type { SaltNodeInit } from './salt/open-node.ts'
