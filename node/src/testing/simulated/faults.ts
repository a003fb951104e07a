/**
 * The faults of a simulated federation, as a list of kinds with weights. CONTRIBUTING "Simulation": a new kind is a new
 * entry. Each fault strikes once, at a time of its own, and ends at `healMs` at the latest. Some draw an earlier end.
 */
import { isFederationError, isGone, MINUTE_MS, manifestToId, newChange, signChange } from '@geotrace/core-wasm/wire'
import { nativeSigner } from '../../platform/native-signer.ts'
import { during, type FaultInit, type FaultKind, pickLiar } from './fault.ts'
import type { SimulatedFederation } from './federation.ts'
import { HOSTILE_FAULTS } from './hostile.ts'
import { applyToJoin } from './joining.ts'
import { liar, liesUnder } from './liars.ts'
import type { Cut } from './network.ts'
import type { SimulatedPeer } from './peer.ts'
import type { SeededRandom } from './seeded-random.ts'

const SECOND_MS = 1_000
/** A leave stays valid for 126 epochs, a week. */
const LEAVE_EPOCHS = 126

export const FAULTS: readonly FaultKind[] = [
  {
    name: 'node-killed',
    weight: 6,
    strike: (init) => killFor(init, pickNode(init), init.random.between(SECOND_MS, 20 * MINUTE_MS)),
  },
  {
    name: 'node-killed-again-and-again',
    weight: 1,
    strike(init) {
      const node = pickNode(init)
      const again = (left: number): void => {
        killFor(init, node, init.random.between(10, 2 * SECOND_MS))
        if (left > 0) during(init, init.random.between(SECOND_MS, 20 * SECOND_MS), () => again(left - 1))
      }
      again(5)
    },
  },
  {
    name: 'central-killed',
    weight: 1,
    strike: (init) => killFor(init, init.federation.central, init.random.between(SECOND_MS, 60 * SECOND_MS)),
  },
  {
    name: 'node-cut-off',
    weight: 3,
    strike(init) {
      const { name } = pickNode(init)
      cutFor(init, (from, to) => from === name || to === name, init.random.between(5 * SECOND_MS, 30 * MINUTE_MS))
    },
  },
  {
    name: 'node-receives-nothing',
    weight: 1,
    strike(init) {
      const { name } = pickNode(init)
      cutFor(init, (_, to) => to === name, init.random.between(5 * SECOND_MS, 10 * MINUTE_MS))
    },
  },
  {
    name: 'node-sends-nothing',
    weight: 1,
    strike(init) {
      const { name } = pickNode(init)
      cutFor(init, (from) => from === name, init.random.between(5 * SECOND_MS, 10 * MINUTE_MS))
    },
  },
  {
    name: 'split-in-two',
    weight: 1,
    strike(init) {
      const { machines, random } = init
      const half = new Set(random.sample(machines, Math.floor(machines.length / 2)))
      cutFor(init, (from, to) => half.has(from) !== half.has(to), random.between(45 * SECOND_MS, 3 * MINUTE_MS))
    },
  },
  {
    name: 'packets-lost',
    weight: 2,
    strike(init) {
      const { conditions } = init.federation.network
      const before = conditions.loss
      conditions.loss = init.random.between(0.02, 0.3)
      during(init, init.random.between(MINUTE_MS, 40 * MINUTE_MS), () => {
        conditions.loss = before
      })
    },
  },
  {
    name: 'requests-replayed',
    weight: 2,
    strike(init) {
      const { conditions } = init.federation.network
      const before = conditions.replays
      conditions.replays = init.random.between(0.05, 0.5)
      during(init, init.random.between(MINUTE_MS, 60 * MINUTE_MS), () => {
        conditions.replays = before
      })
    },
  },
  {
    name: 'connections-break',
    weight: 1,
    strike(init) {
      const { conditions } = init.federation.network
      const before = conditions.resets
      conditions.resets = init.random.between(0.01, 0.1)
      during(init, init.random.between(MINUTE_MS, 15 * MINUTE_MS), () => {
        conditions.resets = before
      })
    },
  },
  {
    name: 'node-slow',
    weight: 2,
    strike(init) {
      const { machine } = pickNode(init)
      machine.slowMs = init.random.between(200, 4 * SECOND_MS)
      during(init, init.random.between(MINUTE_MS, 30 * MINUTE_MS), () => {
        machine.slowMs = 0
      })
    },
  },
  {
    name: 'node-clock-off',
    weight: 2,
    strike(init) {
      const { machine } = pickNode(init)
      const sign = init.random.chance(0.5) ? 1 : -1
      const offMs = sign * Math.round(init.random.between(5 * SECOND_MS, 10 * MINUTE_MS))
      machine.offsetMs += offMs
      during(init, init.random.between(MINUTE_MS, 60 * MINUTE_MS), () => {
        // Take back this fault's share only, because another fault may have moved the clock meanwhile.
        machine.offsetMs -= offMs
      })
    },
  },
  {
    name: 'node-lies',
    weight: 3,
    strike(init) {
      const { network, saltNodes, manifest } = init.federation
      const { parameters } = manifest
      const node = pickLiar(init, saltNodes)
      if (node === undefined) return
      const draws = init.random.fork(`lie/${node.name}`)
      const lie = draws.pick(liesUnder(parameters))
      network.liars.set(node.name, liar(lie, nativeSigner(node.secret), draws, parameters))
      // A liar lies until `healMs`.
      during(init, Number.POSITIVE_INFINITY, () => void network.liars.delete(node.name))
    },
  },
  {
    // The node drains: it keeps the shards of the roster that removes it, and holds no shard of the next roster.
    name: 'node-leaves',
    weight: 1,
    strike(init) {
      const { manifest, left } = init.federation
      const node = pickNode(init)
      const membership = node.running?.membership()
      const roster = membership?.rosters.newest?.roster
      if (membership === undefined || roster === undefined || isGone(roster, node.key)) return
      const until = roster.firstEpoch + LEAVE_EPOCHS
      const leave = newChange(manifestToId(manifest), { kind: 'leave', until, key: node.key })
      try {
        membership.submit(signChange(leave, nativeSigner(node.secret)))
        left.add(node.name)
      } catch (error) {
        // This node asked to leave before.
        if (!isFederationError(error, 'CHANGE_INVALID')) throw error
      }
    },
  },
  {
    // One roster admits the node, the next roster ranks it, and the node holds shards from the third roster on.
    name: 'node-joins',
    weight: 2,
    strike: applyToJoin,
  },
  ...HOSTILE_FAULTS,
]

/** Draws one of `kinds` by weight. */
export function pickFault(kinds: readonly FaultKind[], random: SeededRandom): FaultKind {
  let at = random.unit() * kinds.reduce((sum, { weight }) => sum + weight, 0)
  for (const kind of kinds) {
    at -= kind.weight
    if (at < 0) return kind
  }
  return kinds.at(-1)!
}

function pickNode({ federation, random }: FaultInit): SimulatedFederation['saltNodes'][number] {
  return random.pick(federation.saltNodes)
}

function killFor(init: FaultInit, peer: Pick<SimulatedPeer<never>, 'kill' | 'start'>, ms: number): void {
  peer.kill()
  during(init, ms, () => peer.start())
}

function cutFor(init: FaultInit, cut: Cut, ms: number): void {
  const { cuts } = init.federation.network
  cuts.add(cut)
  during(init, ms, () => void cuts.delete(cut))
}
