/**
 * A node that applies to join. PROTOCOL.md §4.8, §4.9. CONTRIBUTING "Simulation". The node runs and waits, while operators
 * endorse its application one after the other, each when their own node runs.
 */
import {
  isFederationError,
  manifestToId,
  newChange,
  peerIdToKey,
  type SignedChange,
  signChange,
  sponsorQuorum,
  timeToEpoch,
} from '@geotrace/core-wasm/wire'
import { nativeSigner } from '../../platform/native-signer.ts'
import type { SaltNode } from '../../salt/node.ts'
import type { FaultInit } from './fault.ts'
import type { SimulatedFederation } from './federation.ts'
import type { SimulatedPeer } from './peer.ts'

/** An application stays valid for 126 epochs, a week. */
const JOIN_EPOCHS = 126
/** The share of applications for the second node of an operator, which need no sponsors. */
const KNOWN_SHARE = 0.25
/** How long the next operator takes to read the application, ms. */
const READING_MS = [1_000, 60_000] as const

export function applyToJoin({ federation, random, healMs }: FaultInit): void {
  const { scheduler, saltNodes, trace } = federation
  const others = random.sample(saltNodes, saltNodes.length)
  const owner = random.chance(KNOWN_SHARE) ? others[0] : undefined
  const { node, application } = newcomer(federation, owner)
  node.start()
  const ask = ([first, ...rest]: SimulatedPeer<SaltNode>[], endorsed: number): void => {
    const needed = owner === undefined ? sponsorsNeeded(others) : 1
    if (first === undefined || endorsed >= needed || scheduler.nowMs >= healMs) return
    const isEndorsed = endorse(first, application)
    trace.note(scheduler.nowMs, `${first.name} ${isEndorsed ? 'endorses' : 'cannot endorse'} ${node.name}`)
    // An operator whose node is down tries again later.
    const next = isEndorsed ? rest : [...rest, first]
    scheduler.after(Math.min(random.between(...READING_MS), healMs - scheduler.nowMs), () =>
      ask(next, endorsed + Number(isEndorsed)),
    )
  }
  // A second node needs the endorsement of its owner only.
  ask(owner === undefined ? others : [owner], 0)
}

function newcomer(federation: SimulatedFederation, owner: SimulatedPeer<SaltNode> | undefined) {
  const { manifest, scheduler } = federation
  const { node, card, operator } = federation.addNode(owner?.name)
  const application = newChange(manifestToId(manifest), {
    kind: 'join',
    until: timeToEpoch(scheduler.nowMs) + JOIN_EPOCHS,
    operator: card.operator,
    operatorKey: operator.key,
    key: peerIdToKey(card.peerId),
    addresses: [...card.addresses],
  })
  return { node, application: signChange(signChange(application, nativeSigner(node.secret)), operator) }
}

/** More than a third of the operators in the newest roster of some running node. */
function sponsorsNeeded(nodes: readonly SimulatedPeer<SaltNode>[]): number {
  const newest = nodes.map(({ running }) => running?.membership()?.rosters.newest).find((item) => item !== undefined)
  return newest === undefined ? 1 : sponsorQuorum(newest.roster.operators.length)
}

/** Endorses the application with the operator's key through its running node, as `geotrace federation vote` does. */
function endorse({ running }: SimulatedPeer<SaltNode>, application: SignedChange): boolean {
  const membership = running?.membership()
  const newest = membership?.rosters.newest
  if (membership?.voter === undefined || newest === undefined) return false
  try {
    membership.submit(signChange(application, membership.voter.signer))
    return membership.voter.operator(newest.roster) !== undefined
  } catch (error) {
    // The operator has left, or a roster has made the change meanwhile.
    if (!isFederationError(error, 'CHANGE_INVALID')) throw error
    return false
  }
}
