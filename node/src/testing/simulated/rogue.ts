/**
 * Operators that act against the others, with their real keys. CONTRIBUTING "Simulation". The node of such an operator runs
 * on without the operator's key, and a fault signs in the operator's place.
 */
import {
  type CertifiedRoster,
  effortSpan,
  encodeGossip,
  equalBytes,
  type GossipMessage,
  type GossipVote,
  manifestToRoster,
  nextFirstEpoch,
  type Roster,
  type Signer,
  signVote,
  succeed,
} from '@geotrace/core-wasm/wire'
import type { Membership } from '../../membership/membership.ts'
import type { FaultInit } from './fault.ts'
import type { SimulatedFederation } from './federation.ts'

type FoundingNode = SimulatedFederation['saltNodes'][number]
/** The content of a vote. */
type KnownBallot = Pick<GossipVote, 'height' | 'firstEpoch' | 'hash'>

/** A hostile operator with its node. */
export interface Rogue {
  readonly node: FoundingNode
  readonly signer: Signer
}

const SECOND_MS = 1_000

/** The founding nodes whose operators no other fault acts for. */
export function freeOperators({ saltNodes, operators, withheld }: SimulatedFederation): FoundingNode[] {
  return saltNodes.filter(({ name }) => operators.has(name) && !withheld.has(name))
}

/** Restarts the node without its operator's key. The returned function restarts it with the key. */
export function takeKey({ federation, random }: FaultInit, node: FoundingNode): { rogue: Rogue; giveBack(): void } {
  const { withheld, operators, scheduler } = federation
  const restart = (): void => {
    node.kill()
    scheduler.after(random.between(SECOND_MS / 10, 3 * SECOND_MS), () => node.start())
  }
  withheld.add(node.name)
  restart()
  return {
    rogue: { node, signer: operators.get(node.name)! },
    giveBack() {
      withheld.delete(node.name)
      restart()
    },
  }
}

/** Calls `act` every `everyMs` until it returns true, and `end` then or at `healMs`. */
export function repeat({ federation, healMs }: FaultInit, everyMs: number, act: () => boolean, end: () => void): void {
  const { scheduler } = federation
  const tick = (): void => {
    if (act() || scheduler.nowMs >= healMs) end()
    else scheduler.after(Math.min(everyMs, healMs - scheduler.nowMs), tick)
  }
  tick()
}

/** The operator's index among those that vote on the next roster, as its node sees them; undefined without a vote. */
export function operatorIndex(membership: Membership, { signer }: Rogue): number | undefined {
  const at = membership.rosters.predecessor.operators.findIndex(({ key }) => equalBytes(key, signer.key))
  return at < 0 ? undefined : at
}

/** The ballot of most votes that a node knows for a roster that is not certified yet. */
export function knownBallot(membership: Membership | undefined): KnownBallot | undefined {
  if (membership === undefined) return undefined
  const votes = membership.pool.votes(membership.rosters.nextHeight)
  const same = (a: KnownBallot, b: KnownBallot): boolean => a.firstEpoch === b.firstEpoch && equalBytes(a.hash, b.hash)
  const countOf = (vote: GossipVote): number => votes.filter((other) => same(vote, other)).length
  const [most] = [...votes].sort((a, b) => countOf(b) - countOf(a))
  return most && { height: most.height, firstEpoch: most.firstEpoch, hash: most.hash }
}

/** Signs a vote and sends it to the machines that `isTo` names. Without a vote in the next roster it does nothing. */
export function injectVote(
  federation: SimulatedFederation,
  rogue: Rogue,
  ballot: KnownBallot,
  isTo: (machine: string) => boolean = () => true,
): void {
  const membership = rogue.node.running?.membership()
  const operator = membership && operatorIndex(membership, rogue)
  const of = membership?.rosters.newest?.roster.federation
  if (operator === undefined || of === undefined) return
  const given = signVote(rogue.signer, operator, { federation: of, ...ballot })
  inject(federation, rogue, { kind: 'vote', ...ballot, ...given }, isTo)
}

export function inject(
  { network, trace, scheduler }: SimulatedFederation,
  { node }: Rogue,
  message: GossipMessage,
  isTo: (machine: string) => boolean,
): void {
  trace.note(scheduler.nowMs, `${node.name} injects ${message.kind}`)
  network.inject(node.key, encodeGossip(message), isTo)
}

/** The roster that operators agree on at `nowMs`, without its sheets and changes; undefined while none is due. */
export function dueAfter(newest: CertifiedRoster, nowMs: number): Roster | undefined {
  const firstEpoch = nextFirstEpoch(newest.roster, nowMs)
  if (nowMs < effortSpan(newest.roster.periodEpochs, firstEpoch).from) return undefined
  return succeed(newest, { firstEpoch, changes: [], commitments: [], reveals: [], sheets: [] })
}

/** The roster that begins with this epoch as the node knows it, certified or due. */
export function knownRoster(
  { manifest, scheduler }: SimulatedFederation,
  node: FoundingNode,
  firstEpoch: number,
): Roster | undefined {
  const rosters = node.running?.membership()?.rosters
  if (rosters === undefined) return undefined
  const { newest } = rosters
  if (newest === undefined) return manifestToRoster(manifest)
  const due = dueAfter(newest, scheduler.nowMs)
  return rosters.startingAt(firstEpoch)?.roster ?? (due?.firstEpoch === firstEpoch ? due : undefined)
}
