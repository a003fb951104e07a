/**
 * The secrets of the lab's federation as its phones get them. PROTOCOL.md §5.8. Under `plain` they are salts. Under `threshold`
 * they are keys of cells, from a blinded cell and the answers of t replicas. The lab's hashes equal those that its tracers send.
 */
import { type FakeFederation, seededBytes } from '@geotrace/client/testing'
import type { NeededSecrets } from '@geotrace/core-wasm'
import { type TestShares, testSalt, testShares } from '@geotrace/core-wasm/testing'
import {
  blindInput,
  cellToInput,
  finalize,
  type Group,
  loadGroup,
  randomScalar,
  respondersToWeights,
} from '@geotrace/core-wasm/voprf'
import { bytesToHex, shardToReplicas } from '@geotrace/core-wasm/wire'

/** The secret with this index, 32 bytes. */
export type SecretSource = (needed: NeededSecrets, index: number) => Uint8Array

/** The evaluation of one cell for one epoch, hex. */
export interface LabEvaluation {
  cell: string
  blinded: string
  answers: { node: string; element: string }[]
  key: string
}
interface LabSecrets {
  secretOf: SecretSource
  evaluate: ((cell: bigint, epoch: number) => LabEvaluation) | undefined
}

export async function openSecrets(federation: FakeFederation): Promise<LabSecrets> {
  const { core, manifest } = federation
  const { shards } = manifest.parameters
  if (manifest.parameters.salting === 'plain') {
    const secretOf: SecretSource = (needed, i) => {
      if (needed.salting !== 'plain') throw new TypeError(`"salting" expected plain, got ${needed.salting}`)
      return testSalt(core.regionToShard(needed.regions[i]!, shards), needed.sizes[i]!, needed.blocks[i]!)
    }
    return { secretOf, evaluate: undefined }
  }
  const evaluator = new Evaluator(await loadGroup(), federation)
  return {
    secretOf(needed, i) {
      if (needed.salting !== 'threshold') throw new TypeError(`"salting" expected threshold, got ${needed.salting}`)
      return evaluator.evaluate(needed.cells[i]!, needed.epochs[i]!).key
    },
    evaluate(cell, epoch) {
      const { blinded, answers, key } = evaluator.evaluate(cell, epoch)
      return {
        cell: cell.toString(16),
        blinded: bytesToHex(blinded),
        answers: answers.map(({ node, element }) => ({ node, element: bytesToHex(element) })),
        key: bytesToHex(key),
      }
    },
  }
}

class Evaluator {
  readonly #group: Group
  readonly #federation: FakeFederation
  readonly #shares: TestShares
  readonly #random = seededBytes('blind')

  constructor(group: Group, federation: FakeFederation) {
    this.#group = group
    this.#federation = federation
    this.#shares = testShares(group)
  }

  evaluate(cell: bigint, epoch: number) {
    const group = this.#group
    const { core, certified } = this.#federation
    const { roster } = certified
    const shard = core.regionToShard(core.cellToRegion(cell), roster.shards)
    const blind = randomScalar(group, this.#random)
    const blinded = blindInput(group, cellToInput(cell), blind)
    const answers = shardToReplicas(roster, shard)
      .slice(0, roster.threshold)
      .map(({ operator }, rank) => ({
        node: roster.operators[operator]!.name,
        element: group.multiply(this.#shares.key(roster, shard, epoch, rank).secret, blinded),
      }))
    const { factors, inverse } = respondersToWeights(answers.map((_, rank) => rank))
    const scale = group.scalarMultiply(inverse, group.scalarInvert([blind])[0]!)
    const elements = answers.map(({ element }) => element)
    return { blinded, answers, key: finalize(group, cellToInput(cell), factors, scale, elements) }
  }
}
