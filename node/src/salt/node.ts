/**
 * A volunteer's salt node: keeps seeds and answers requests for salts; it learns no position and no user. PROTOCOL.md §5.
 * `start` throws what `openNode` throws. A node that no roster names yet follows the rosters and serves once a roster
 * names it.
 */
import { isGone, keyToMember, keyToPeerId, type Signer } from '@geotrace/core-wasm/wire'
import type { Membership } from '../membership/membership.ts'
import type { HostStats } from '../net/protocol.ts'
import { nativeSigner } from '../platform/native-signer.ts'
import {
  lackedShards,
  nextPeriodStatus,
  rosterStatus,
  type SaltNodeState,
  type SaltNodeStatus,
  shardStatuses,
} from './node-status.ts'
import { type OpenNode, openNode, type SaltNodeInit } from './open-node.ts'

export interface SaltNode {
  readonly key: Uint8Array
  /** Resolves when the node listens and its first founding round is over; `status` says whether it serves. */
  start(): Promise<void>
  stop(): Promise<void>
  status(): SaltNodeStatus
  /** The node's membership while it runs. */
  membership(): Membership | undefined
  /** Compares clocks with the peers now, which also updates `reach`. */
  lookAround(): Promise<void>
  /** Multiaddrs that the node listens on, without the peer id; none before `start`. */
  addresses(): string[]
}

export function saltNode(init: SaltNodeInit): SaltNode {
  return new VolunteerNode(init)
}

const NO_STATS: HostStats = { connections: 0, waiting: 0, inFlight: 0, protocols: {} }

class VolunteerNode implements SaltNode {
  readonly key: Uint8Array
  readonly #init: SaltNodeInit
  readonly #signer: Signer
  #state: 'stopped' | 'running' | 'leaving' = 'stopped'
  #open: OpenNode | undefined
  #opening: Promise<OpenNode> | undefined
  #startedMs: number | undefined
  /** The protocol that answers devices, once it is known. */
  #served = ''
  /** The counts of the last host, also after a stop. */
  #stats = (): HostStats => NO_STATS

  constructor(init: SaltNodeInit) {
    this.#init = init
    this.#signer = nativeSigner(init.secret)
    this.key = this.#signer.key
  }

  async start(): Promise<void> {
    if (this.#state !== 'stopped') throw new TypeError('the node was started already')
    this.#state = 'running'
    try {
      this.#opening = openNode(this.#init, this.#signer)
      const open = await this.#opening
      this.#open = open
      this.#served = open.service.protocol.id
      this.#stats = open.host.stats
      if (this.#isStopping()) return
      this.#startedMs = this.#init.clock.now()
      open.pulse.start()
      if (open.membership.rosters.newest !== undefined) open.pulse.joined()
      await open.membership.start()
      for (const role of open.roles) role.start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** A stop may come while the node starts. */
  #isStopping(): boolean {
    return this.#state !== 'running'
  }

  async stop(): Promise<void> {
    this.#state = 'leaving'
    // A stop during the start waits for the start, because otherwise a port would stay open.
    const wasOpening = this.#opening
    this.#opening = undefined
    const leaving = await wasOpening?.catch(() => undefined)
    this.#open = undefined
    const roles = leaving?.roles.map((role) => role.stop()) ?? []
    const isQuiet = leaving && Promise.all([leaving.pulse.stop(), leaving.membership.stop(), ...roles])
    await leaving?.host.stop()
    leaving?.keeper.wipe()
    await isQuiet
    await leaving?.settled()
    await leaving?.quota.close()
    this.#state = 'stopped'
  }

  status(): SaltNodeStatus {
    const open = this.#open
    const certified = open?.membership.rosters.newest
    const network = this.#stats()
    const served = network.protocols[this.#served]
    return {
      state: this.#currentState(),
      peerId: keyToPeerId(this.key),
      startedMs: this.#startedMs,
      roster: certified && rosterStatus(certified),
      core: this.#init.core.sha256,
      shards: open === undefined ? [] : shardStatuses(open.holdings, this.#init.clock.now()),
      nextPeriod: open && nextPeriodStatus(open.holdings, this.#init.clock.now()),
      membership: open?.membership.status(),
      clockOffsetMs: open?.watch.offsetMs ?? 0,
      reach: open?.watch.reach,
      network,
      salting: this.#init.manifest.parameters.salting,
      evaluations: open?.service.evaluations(this.#init.clock.now()) ?? [],
      answered: served?.answered ?? 0,
      refused: { ...served?.refused },
      quotaEntries: open?.quota.size ?? 0,
    }
  }

  membership(): Membership | undefined {
    return this.#open?.membership
  }

  async lookAround(): Promise<void> {
    await this.#open?.watch.check()
  }

  addresses(): string[] {
    return this.#open?.host.addresses() ?? []
  }

  #currentState(): SaltNodeState {
    if (this.#state !== 'running') return this.#state
    const newest = this.#open?.membership.rosters.newest
    if (newest === undefined) return 'joining'
    const { roster } = newest
    const { holdings } = this.#open!
    const nowMs = this.#init.clock.now()
    if (keyToMember(roster, this.key) !== undefined) {
      if (isGone(roster, this.key)) return 'draining'
      return lackedShards(shardStatuses(holdings, nowMs), nowMs).length === 0 ? 'serving' : 'seeds-missing'
    }
    const isHolding = holdings.inForce(nowMs).some(({ all }) => all.length > 0)
    return isHolding ? 'draining' : 'waiting'
  }
}
