/**
 * Evaluations as an attacker takes them: cells of its choice, in the largest batch, from any t replicas. PROTOCOL.md §5.8 to
 * §5.11. It goes on until the quota is spent at one replica of every set of t. The attacker does not blind and checks nothing.
 */
import type { Cell } from '@geotrace/core-wasm'
import { blindInput, cellToInput, finalize, respondersToWeights } from '@geotrace/core-wasm/voprf'
import {
  decodeEvaluateAnswer,
  EVALUATE_PROTOCOL,
  EVALUATIONS_PER_EPOCH_MAX,
  encodeEvaluateRequest,
  hashToRosterName,
  isFederationError,
  type PartKeys,
  partCount,
  type Roster,
  requestToShape,
} from '@geotrace/core-wasm/wire'
import { DEVICE_EVALUATIONS, EVALUATION_REFILL_MS, TOKEN_REFILL_MS } from '../../src/salt/quota/quota.ts'
import { type Intruder, openIntruder, patiently, replicasOf, SHARD } from './intruder.ts'
import type { Lab } from './lab.ts'
import { enrolledTokens } from './tokens.ts'

interface Wish {
  /** In the order in which they are tried. */
  readonly cells: readonly Cell[]
  readonly epoch: number
  /** The sets of replicas to ask in turn, by rank; default: all sets of t. */
  readonly sets?: readonly (readonly number[])[]
  /** Index of the attacker's address. */
  readonly address?: number
  /** Pay with the tokens of one enrolled device; default: the quota of the address pays. */
  readonly paysByTokens?: boolean
}
interface Taken {
  /** The secret of each cell that was evaluated. */
  readonly keys: ReadonlyMap<Cell, Uint8Array>
  /** Elements that all nodes together evaluated. */
  readonly elements: number
}

/** An address whose quota no attack needs. */
const KEYS_ADDRESS = 199
/** The scalar 1, little-endian: what is not blinded needs no unblinding. */
const ONE = Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? 1 : 0))

export async function evaluateUntilSpent(lab: Lab, wish: Wish): Promise<Taken> {
  const { cells, epoch, sets, address = 0, paysByTokens = false } = wish
  const { replicas, threshold } = lab.certified.roster
  const intruder = await openIntruder(lab, address)
  const tokens = paysByTokens ? await enrolledTokens(lab, intruder) : undefined
  let open = sets ?? setsOf(tokens?.size ?? replicas, threshold)
  const keys = new Map<Cell, Uint8Array>()
  let [elements, from] = [0, 0]
  try {
    for (let turn = 0; open.length > 0 && from < cells.length; turn++) {
      const ranks = open[turn % open.length]!
      const batch = padded(cells.slice(from, from + EVALUATIONS_PER_EPOCH_MAX))
      const answers = await Promise.all(
        ranks.map((rank) => evaluateAt(lab, intruder, { rank, cells: batch, epoch, token: tokens?.get(rank) })),
      )
      elements += answers.filter((answer) => answer !== undefined).length * batch.length
      const spent = ranks.filter((_, i) => answers[i] === undefined)
      open = open.filter((set) => !set.some((rank) => spent.includes(rank)))
      if (spent.length > 0) continue
      combine(lab, ranks, batch, answers as Uint8Array[][]).forEach((key, i) => void keys.set(batch[i]!, key))
      from += batch.length
    }
  } finally {
    await intruder.close()
  }
  return { keys, elements }
}

/** Cells that one device can have evaluated in a shard, at once or within `ms`: each replica has a bucket of its own. */
export function budgetOf({ replicas, threshold }: Pick<Roster, 'replicas' | 'threshold'>, ms = 0): number {
  return (Math.floor(DEVICE_EVALUATIONS + ms / EVALUATION_REFILL_MS) * replicas) / threshold
}

/** Cells that the tokens of one device and day open in a shard, at once or within `ms`, whatever nodes the device chooses. */
export function tokenBudgetOf({ tokens, threshold }: Pick<Roster, 'tokens' | 'threshold'>, ms = 0): number {
  return (Math.floor(DEVICE_EVALUATIONS + ms / TOKEN_REFILL_MS) * (tokens?.perDay ?? 0)) / threshold
}

/** The certified keys of all parts in an epoch with their path, as any client gets them. */
export async function certifiedPartKeys(lab: Lab, epoch: number): Promise<PartKeys> {
  const intruder = await openIntruder(lab, KEYS_ADDRESS)
  try {
    const answer = await ask(lab, intruder, {
      rank: lab.certified.roster.replicas - 1,
      cells: padded([0n]),
      epoch,
      wantsKeys: true,
    })
    return answer.partKeys!
  } finally {
    await intruder.close()
  }
}

/** The output for a cell from one scalar that an attacker takes for the key of the shard. */
export function evaluateAlone({ group }: Pick<Lab, 'group'>, scalar: Uint8Array, cell: Cell): Uint8Array {
  const element = group.multiply(scalar, blindInput(group, cellToInput(cell), ONE))
  return finalize(group, cellToInput(cell), [1], ONE, [element])
}

/** All sets of t of R ranks. */
export function setsOf(replicas: number, threshold: number, first = 0): number[][] {
  if (threshold === 0) return [[]]
  return Array.from({ length: Math.max(0, replicas - threshold - first + 1) }, (_, i) => first + i).flatMap((rank) =>
    setsOf(replicas, threshold - 1, rank + 1).map((rest) => [rank, ...rest]),
  )
}

/** The evaluated elements; undefined when the quota of this address or token is spent at the replica. */
async function evaluateAt(lab: Lab, intruder: Intruder, asking: Omit<Asking, 'wantsKeys'>) {
  try {
    return (await ask(lab, intruder, { ...asking, wantsKeys: false })).evaluated
  } catch (error) {
    if (isFederationError(error, 'QUOTA_SPENT')) return undefined
    throw error
  }
}

interface Asking {
  readonly rank: number
  /** As many as the largest batch has. */
  readonly cells: readonly Cell[]
  readonly epoch: number
  readonly wantsKeys: boolean
  readonly token?: Uint8Array | undefined
}

/** The unchecked answer of one replica. */
function ask({ certified, group }: Lab, intruder: Intruder, { rank, cells, epoch, wantsKeys, token }: Asking) {
  const { replicas, threshold } = certified.roster
  const elements = [cells.map((cell) => blindInput(group, cellToInput(cell), ONE))]
  const request = {
    roster: hashToRosterName(certified.hash),
    shard: SHARD,
    wantsKeys,
    epochs: [epoch],
    elements,
    token,
  }
  const shape = requestToShape(request, partCount(replicas, threshold))
  return patiently(async () => {
    const frame = encodeEvaluateRequest(request)
    const bytes = await intruder.request(replicasOf({ certified })[rank]!, EVALUATE_PROTOCOL, frame)
    return decodeEvaluateAnswer(bytes, shape).epochs[0]!
  })
}

function combine(
  { group }: Pick<Lab, 'group'>,
  ranks: readonly number[],
  cells: readonly Cell[],
  answers: readonly (readonly Uint8Array[])[],
): Uint8Array[] {
  const { factors, inverse } = respondersToWeights(ranks)
  return cells.map((cell, i) =>
    finalize(
      group,
      cellToInput(cell),
      factors,
      inverse,
      answers.map((evaluated) => evaluated[i]!),
    ),
  )
}

/** The last batch is filled with its own cells, because a node takes whole batches only. */
function padded(cells: readonly Cell[]): Cell[] {
  return Array.from({ length: EVALUATIONS_PER_EPOCH_MAX }, (_, i) => cells[i % cells.length]!)
}
