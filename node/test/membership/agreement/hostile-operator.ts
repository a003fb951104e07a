/** One operator of a council world that acts against the others in every way at once, period after period. */
import {
  bodyToCertified,
  type CertifiedRoster,
  encodeChange,
  encodeGossip,
  encodeRoster,
  equalBytes,
  type GossipVote,
  isGone,
  keyToShards,
  newChange,
  type Roster,
  type SignedChange,
  sheetContent,
  sheetEpochs,
  signChange,
  signContent,
  signProposal,
  signVote,
  succeed,
  VACANT_ROOT,
} from '@geotrace/core-wasm/wire'
import { sheetsToRoots } from '../../../src/membership/agreement/proposal.ts'
import { NAMES, operatorSigner, peerSigner } from '../chain.ts'
import { haveSame, hex, type Seat, type World } from './council-world.ts'

/**
 * `provable`: signs what contradicts itself, so that the next roster removes the operator. `unprovable`: signs only what
 * cannot be proven, so that the operator stays. Both also send what is invalid.
 */
export type Hostility = 'provable' | 'unprovable'

export interface Period {
  /** The honest seats have the roster of this period. */
  readonly isCertified: boolean
  /** The roster of this period is without the hostile operator. */
  readonly isRemoved: boolean
  /** The acts of the hostile operator in this period: `sheets`, `proposal`, `vote`. */
  readonly acts: readonly string[]
}

/** Runs periods in which `name`, a silent operator of the world, is hostile. */
export async function liveHostilePeriods(
  world: World,
  name: string,
  hostility: Hostility,
  count: number,
): Promise<Period[]> {
  const honest = world.seats.filter((seat) => seat.name !== name)
  const operator = new HostileOperator(world, name, hostility)
  for (const seat of honest) seat.pool.onNews((kind) => operator.answer(kind, seat))
  const periods: Period[] = []
  for (let i = 0; i < count; i++) {
    const firstEpoch = world.due()
    operator.begin(i)
    await world.livePeriod()
    const { roster } = honest[0]!.rosters.newest!
    periods.push({
      isCertified: roster.firstEpoch === firstEpoch && haveSame(honest, roster.height),
      isRemoved: isGone(roster, operatorSigner(name).key) || !roster.operators.some((item) => item.name === name),
      acts: operator.acts,
    })
  }
  return periods
}

class HostileOperator {
  readonly #world: World
  readonly #name: string
  readonly #isProvable: boolean
  readonly #honest: readonly Seat[]
  #acts = new Set<string>()
  #period = 0

  constructor(world: World, name: string, hostility: Hostility) {
    this.#world = world
    this.#name = name
    this.#isProvable = hostility === 'provable'
    this.#honest = world.seats.filter((seat) => seat.name !== name)
  }

  /** Its acts in this period. */
  get acts(): string[] {
    return [...this.#acts].sort()
  }

  begin(period: number): void {
    this.#acts = new Set()
    this.#period = period
  }

  /** Acts on a message that came to an honest seat. Each act comes once a period. */
  answer(kind: string, seat: Seat): void {
    const due = seat.council.due()
    if (due === undefined || due.height === 0) return
    if (kind === 'sheets') {
      this.#once('sheets', () => this.#signSheets(due.roster))
      if (sheetsToRoots(due.roster, seat.pool.sheets(due.firstEpoch)) !== undefined)
        this.#once('proposal', () => this.#propose(seat, due.roster))
    }
    const [vote] = seat.pool.votes(due.height).filter(({ firstEpoch }) => firstEpoch === due.firstEpoch)
    if (kind === 'vote' && vote !== undefined) this.#once('vote', () => this.#vote(seat, vote))
  }

  #once(act: string, fn: () => boolean): void {
    if (this.#acts.has(act)) return
    // Noted before, because what it delivers calls this again.
    this.#acts.add(act)
    if (!fn()) this.#acts.delete(act)
  }

  /** A root of its own for each of its shards, and a second one when that may be proven. */
  #signSheets(due: Roster): boolean {
    const signer = peerSigner(this.#name)
    const { federation, previous, firstEpoch } = due
    const shards = keyToShards(due, signer.key)
    for (const byte of this.#isProvable ? [1, 2] : [1]) {
      const root = new Uint8Array(32).fill(byte)
      const sheets = shards.map((shard) => {
        const content = sheetContent({ federation, previous, shard, firstEpoch, epochs: sheetEpochs(due), root })
        return { shard, root, signature: signContent(signer, 'geotrace/sheet', content) }
      })
      if (sheets.length > 0) this.#world.deliver({ kind: 'sheets', key: signer.key, previous, firstEpoch, sheets })
    }
    return true
  }

  #propose(seat: Seat, due: Roster): boolean {
    const newest = seat.rosters.newest!
    const operator = this.#index(seat)
    const roots = sheetsToRoots(due, seat.pool.sheets(due.firstEpoch))!
    if (operator === undefined) return true
    const move = this.#move(due)
    const bodyOf = (changes: SignedChange[], sheets = roots.sheets): CertifiedRoster => {
      const choice = { firstEpoch: due.firstEpoch, changes: changes.map(encodeChange), sheets }
      const body = bodyToCertified(
        encodeRoster(succeed(newest, { ...choice, commitments: [], reveals: [] })),
        roots.sheetSignatures,
        [],
      )
      this.#world.bodies.set(hex(body.hash), body)
      return body
    }
    const isGoneAlready = isGone(newest.roster, peerSigner(this.#name).key)
    // A change that half of the seats know when they propose.
    if (!isGoneAlready) this.#world.deliver({ kind: 'change', change: encodeChange(move) }, this.#half(0))
    const hashes = this.#isProvable
      ? [bodyOf([]).hash, bodyOf(isGoneAlready ? [] : [move]).hash]
      : [
          [
            new Uint8Array(32).fill(7),
            bodyOf(
              [],
              roots.sheets.map(() => VACANT_ROOT),
            ).hash,
            bodyOf([]).hash,
          ][this.#period % 3]!,
        ]
    for (const [i, hash] of hashes.entries()) {
      const unsigned = {
        ...{ height: due.height, firstEpoch: due.firstEpoch, hash, operator },
        holder: peerSigner(this.#name).key,
      }
      const proposal = signProposal(operatorSigner(this.#name), due.federation, unsigned)
      this.#world.deliver(proposal, hashes.length === 1 ? this.#honest : this.#half(i))
    }
    this.#garble()
    return true
  }

  #vote(seat: Seat, vote: GossipVote): boolean {
    const operator = this.#index(seat)
    if (operator === undefined) return true
    const { periodEpochs } = this.#world.manifest.parameters
    const { federation } = seat.rosters.newest!.roster
    const give = (ballot: { height: number; firstEpoch: number; hash: Uint8Array }): void => {
      const signed = signVote(operatorSigner(this.#name), operator, { federation, ...ballot })
      this.#world.deliver({ kind: 'vote', ...ballot, ...signed }, this.#honest)
    }
    const { height, firstEpoch, hash } = vote
    const other = new Uint8Array(32).fill(9)
    for (const periods of [-1, 1, 2]) give({ height, firstEpoch: firstEpoch + periods * periodEpochs, hash })
    if (this.#isProvable) for (const one of [other, hash]) give({ height, firstEpoch, hash: one })
    // Its true vote, withheld until the period is over.
    else this.#world.clock.setTimer(() => give({ height, firstEpoch, hash }), 150_000)
    return true
  }

  /** Messages with wrong signatures, and bytes that are no message. */
  #garble(): void {
    const change = { kind: 'change' as const, change: encodeChange(this.#move(this.#honest[0]!.council.due()!.roster)) }
    const bytes = encodeGossip(change)
    bytes[bytes.length - 1]! ^= 1
    for (const seat of this.#honest) {
      seat.receive(bytes)
      seat.receive(bytes.slice(0, bytes.length / 2))
      seat.receive(new Uint8Array(2_000).fill(this.#period))
    }
  }

  #move(due: Roster): SignedChange {
    const node = peerSigner(this.#name)
    const addresses = [`/dns/n${this.#period}.example/tcp/1`]
    const move = { kind: 'move' as const, until: due.firstEpoch, at: this.#world.clock.now(), key: node.key, addresses }
    return signChange(newChange(due.federation, move), node)
  }

  #half(side: number): Seat[] {
    return this.#honest.filter((_, i) => i % 2 === side)
  }

  #index(seat: Seat): number | undefined {
    const at = seat.rosters.predecessor.operators.findIndex(({ key }) =>
      equalBytes(key, operatorSigner(this.#name).key),
    )
    return at < 0 ? undefined : at
  }
}

/** Operators that have a salt node, so that they can be hostile with their sheets too. */
export const HOSTILE_NAMES = NAMES.slice(0, -1)
