/**
 * Asks t replicas of a shard for evaluations of blinded cells, and combines their answers into cell keys. PROTOCOL.md §5.8,
 * §5.9, §7.7. All are asked with the same elements. A replica that refuses, lies or is silent is replaced by the next one.
 * Every proof is checked before anything is combined, and nothing is kept of fewer than t answers.
 */
import { isFederationError, type Random } from '@geotrace/core-wasm'
import {
  blindInput,
  cellToInput,
  finalize,
  type Group,
  randomElement,
  randomScalar,
  respondersToWeights,
} from '@geotrace/core-wasm/voprf'
import {
  bytesToHex,
  type CertifiedRoster,
  decodeEvaluateAnswer,
  EVALUATE_PROTOCOL,
  type EvaluateAnswer,
  type EvaluateRequest,
  type EvaluationVerifier,
  encodeEvaluateRequest,
  evaluationToLie,
  FederationError,
  hashToRosterName,
  isCertified,
  isSignedEvaluation,
  keyToPeerId,
  type PartKeys,
  partCount,
  requestToShape,
  rosterName,
  sheetEpochs,
} from '@geotrace/core-wasm/wire'
import { submitEvidence } from './evidence.ts'
import { toBatch, type WantedKey } from './plan-cells.ts'
import { type RankedReplica, replicasInOrder } from './replica-order.ts'
import { type Asked, noteRefusal, type SecretAsker, type SecretRequest } from './salting.ts'

/** Shared by all requests of a tracer. */
export interface EvaluationTools {
  readonly group: Group
  readonly verifier: EvaluationVerifier
  /** Batch classes of the manifest. */
  readonly classes: readonly number[]
  /** Certified part keys by `roster/shard/epoch`, so that a device asks for them once. */
  readonly partKeys: Map<string, PartKeys>
}

/** A request that is blinded, with what its answers need. */
interface Blinded {
  readonly certified: CertifiedRoster
  readonly shard: number
  /** For each epoch of `request`, in its order. */
  readonly wanted: readonly (readonly WantedKey[])[]
  readonly request: Omit<EvaluateRequest, 'wantsKeys'>
  /** The scalars by which the cells of `wanted` are blinded. */
  readonly blinds: readonly Uint8Array[][]
}
/** The checked answer of one replica. */
interface Share {
  readonly place: number
  readonly answer: EvaluateAnswer
}

/** Throws ABORTED and programming mistakes. */
export async function requestKeys(
  asked: SecretRequest<WantedKey>,
  asker: SecretAsker,
  tools: EvaluationTools,
): Promise<Asked> {
  const blinded = blindRequest(asked, asker.random, tools)
  const round = new Round(blinded, asker, tools)
  try {
    const shares = await round.run()
    const keys = shares && combine(blinded, shares, tools.group)
    const padded = blinded.request.elements.flat().length
    const times = shares?.map(({ answer }) => answer.time) ?? []
    return { ...round.tally, secrets: keys && inOrderOf(asked, blinded, keys), times, padded }
  } finally {
    for (const blind of blinded.blinds.flat()) blind.fill(0)
  }
}

function blindRequest(
  { certified, shard, wanted: all }: SecretRequest<WantedKey>,
  random: Random,
  tools: EvaluationTools,
): Blinded {
  const { group, classes } = tools
  const epochs = [...new Set(all.map(({ epoch }) => epoch))].sort((a, b) => a - b)
  const wanted = epochs.map((epoch) => all.filter((key) => key.epoch === epoch))
  const batch = toBatch(classes, Math.max(...wanted.map((own) => own.length)))
  const blinds = wanted.map((own) => own.map(() => randomScalar(group, random)))
  const elements = wanted.map((own, e) =>
    Array.from({ length: batch }, (_, i) =>
      // A cell has another blind in each epoch, so that no node sees that a device stayed.
      own[i] === undefined ? randomElement(group, random) : blindInput(group, cellToInput(own[i].cell), blinds[e]![i]!),
    ),
  )
  const request = { roster: hashToRosterName(certified.hash), shard, epochs, elements }
  return { certified, shard, wanted, request, blinds }
}

/** One round of asking: t lanes take replicas from one list, and the first lane asks for the part keys if they are missing. */
class Round {
  readonly tally = { requests: 0, lies: 0, retryAfterMs: undefined as number | undefined }
  readonly #blinded: Blinded
  readonly #asker: SecretAsker
  readonly #tools: EvaluationTools
  readonly #replicas: RankedReplica[]
  readonly #threshold: number
  readonly #names: readonly string[]
  /** The part keys of each epoch, as far as they are known. */
  readonly #partKeys: (PartKeys | undefined)[]
  /** Resolves when the part keys of all epochs are known, or when nobody will give them. */
  readonly #keys: Promise<void>
  #keysSettled: () => void = () => {}

  constructor(blinded: Blinded, asker: SecretAsker, tools: EvaluationTools) {
    this.#blinded = blinded
    this.#asker = asker
    this.#tools = tools
    const { certified, shard, request } = blinded
    this.#replicas = replicasInOrder(certified, shard, asker.secrets.device, asker.liars, asker.away)
    this.#threshold = certified.roster.threshold
    this.#names = request.epochs.map((epoch) => `${rosterName(certified)}/${shard}/${epoch}`)
    this.#partKeys = this.#names.map((name) => tools.partKeys.get(name))
    this.#keys = new Promise((resolve) => {
      this.#keysSettled = resolve
    })
  }

  /** The shares of t replicas; undefined when fewer answer. */
  async run(): Promise<Share[] | undefined> {
    if (this.#knowsKeys()) this.#keysSettled()
    const wantsKeys = !this.#knowsKeys()
    const lanes = Array.from({ length: this.#threshold }, (_, lane) => this.#lane(wantsKeys && lane === 0))
    const shares = (await Promise.all(lanes)).filter((share) => share !== undefined)
    return shares.length === this.#threshold ? shares : undefined
  }

  #knowsKeys(): boolean {
    return this.#partKeys.every((keys) => keys !== undefined)
  }

  /** Asks one replica after the other until one gives a share. */
  async #lane(wantsKeys: boolean): Promise<Share | undefined> {
    try {
      for (let replica = this.#replicas.shift(); replica !== undefined; replica = this.#replicas.shift()) {
        // Another request of this sync may have found the lie meanwhile.
        if (this.#asker.liars.has(bytesToHex(replica.key))) continue
        const answer = await this.#ask(replica, wantsKeys)
        if (answer !== undefined) return { place: replica.place, answer }
      }
      return undefined
    } finally {
      if (wantsKeys) this.#keysSettled()
    }
  }

  /** The checked answer of one replica; undefined when it refuses, lies or is silent. */
  async #ask(replica: RankedReplica, wantsKeys: boolean, mayPay = true): Promise<EvaluateAnswer | undefined> {
    const { session, liars, wallet, clock } = this.#asker
    const token = mayPay ? wallet?.of(replica.key, clock.now()) : undefined
    const frame = encodeEvaluateRequest({ ...this.#blinded.request, wantsKeys, token })
    this.tally.requests++
    try {
      const bytes = await session.request(replica, EVALUATE_PROTOCOL, frame)
      wallet?.note(replica.key)
      return await this.#check(replica, frame, bytes, wantsKeys)
    } catch (error) {
      const isRefused = isFederationError(error, 'TOKEN_REFUSED')
      if (isRefused) wallet?.drop(replica.key, clock.now())
      // A device whose address has no quota left also learns for which members it needs tokens.
      if (isFederationError(error, 'QUOTA_SPENT')) wallet?.note(replica.key)
      // The bucket of the address may have room. That of the token gains some again.
      if (token !== undefined && (isRefused || isFederationError(error, 'QUOTA_SPENT')))
        return await this.#ask(replica, wantsKeys, false)
      if (!isFederationError(error) || isFederationError(error, 'ABORTED')) throw error
      if (isFederationError(error, 'PEER_LIED')) {
        this.tally.lies++
        liars.add(bytesToHex(replica.key))
      }
      noteRefusal(error, replica, this.tally, this.#asker)
      return undefined
    }
  }

  async #check(
    replica: RankedReplica,
    frame: Uint8Array,
    bytes: Uint8Array,
    wantsKeys: boolean,
  ): Promise<EvaluateAnswer | undefined> {
    const { certified, request } = this.#blinded
    const { replicas, threshold } = certified.roster
    const asked = { ...request, wantsKeys }
    const answer = decodeEvaluateAnswer(bytes, requestToShape(asked, partCount(replicas, threshold)))
    if (!isSignedEvaluation(replica.key, frame, answer)) throw lied(replica, 'its signature fails')
    if (wantsKeys) this.#keepKeys(answer)
    else await this.#keys
    if (!wantsKeys && !this.#knowsKeys()) return undefined
    const place = { replicas, threshold, rank: replica.place }
    for (const [i, epoch] of request.epochs.entries()) {
      const known = this.#partKeys[i]
      const { verifier } = this.#tools
      const lie = evaluationToLie(asked, answer, i, this.#sheet(), place, known?.keys ?? [], verifier)
      if (lie === undefined) continue
      const partKeys = wantsKeys ? null : known!
      const evidence = { kind: 'evaluation', key: replica.key, request: frame, answer: bytes, epoch, partKeys } as const
      this.#asker.liars.add(bytesToHex(replica.key))
      await submitEvidence(this.#asker, certified, evidence, verifier)
      throw lied(replica, lie)
    }
    return answer
  }

  /** Keeps the part keys of an answer that the sheet commits to, also when its evaluations are false. */
  #keepKeys({ epochs }: EvaluateAnswer): void {
    for (const [i, { partKeys }] of epochs.entries()) {
      if (partKeys === undefined || !isCertified(this.#sheet(), this.#blinded.request.epochs[i]!, partKeys)) continue
      this.#partKeys[i] ??= partKeys
      if (!this.#tools.partKeys.has(this.#names[i]!)) this.#tools.partKeys.set(this.#names[i]!, partKeys)
    }
    if (this.#knowsKeys()) this.#keysSettled()
  }

  #sheet() {
    const { certified, shard } = this.#blinded
    const { roster } = certified
    return { root: roster.sheets[shard]!, firstEpoch: roster.firstEpoch, epochs: sheetEpochs(roster) }
  }
}

/** The cell keys of `wanted`, by epoch and in order. */
function combine({ wanted, blinds }: Blinded, shares: readonly Share[], group: Group): Uint8Array[][] {
  const { factors, inverse } = respondersToWeights(shares.map(({ place }) => place))
  const unblinds = group.scalarInvert(blinds.flat())
  let next = 0
  const keys = wanted.map((own, e) =>
    own.map(({ cell }, i) => {
      const unblind = unblinds[next++]!
      const scale = group.scalarMultiply(inverse, unblind)
      const elements = shares.map(({ answer }) => answer.epochs[e]!.evaluated[i]!)
      const key = finalize(group, cellToInput(cell), factors, scale, elements)
      scale.fill(0)
      return key
    }),
  )
  for (const unblind of unblinds) unblind.fill(0)
  return keys
}

function inOrderOf(
  { wanted }: SecretRequest<WantedKey>,
  blinded: Blinded,
  keys: readonly Uint8Array[][],
): Uint8Array[] {
  const byName = new Map(blinded.wanted.flatMap((own, e) => own.map(({ name }, i) => [name, keys[e]![i]!] as const)))
  return wanted.map(({ name }) => byName.get(name)!)
}

function lied({ key }: RankedReplica, what: string): FederationError<'PEER_LIED'> {
  return new FederationError('PEER_LIED', `the salt node signed a false evaluation: ${what}; ask another replica`, {
    peer: keyToPeerId(key),
  })
}
