/**
 * Asks the mixer and the teller of a period for their work. PROTOCOL.md §9.8. Memory holds one batch.
 * Throws the refusal of the role, PEER_UNREACHABLE, PEER_TIMEOUT, MESSAGE_MALFORMED.
 */

import type { SpreadRule } from '@geotrace/core-wasm/spread'
import {
  batchToDigest,
  batchToParts,
  byteReader,
  concatBytes,
  decodeDone,
  decodeMixedReply,
  decodeRosterReply,
  encodeSpreadRequest,
  equalBytes,
  isValidMixed,
  type RosterPeer,
  SPREAD_ITEM_BYTES,
  SPREAD_PROTOCOL,
  SPREAD_SLIP_BYTES,
  type SpreadRequest,
} from '@geotrace/core-wasm/wire'
import type { Peers } from '../../membership/peers.ts'
import type { Host } from '../../net/protocol.ts'

interface RoleCallsInit {
  readonly federation: Uint8Array
  readonly host: Pick<Host, 'request'>
  readonly peers: Pick<Peers, 'withKey'>
}
/** The mixer's output. */
interface Mixed {
  readonly items: Uint8Array
  readonly signature: Uint8Array
}

export class RoleCalls {
  readonly #init: RoleCallsInit

  constructor(init: RoleCallsInit) {
    this.#init = init
  }

  async giveSlips({ mixer }: SpreadRule, period: number, slips: Uint8Array): Promise<void> {
    for (const part of batchToParts(slips, SPREAD_SLIP_BYTES))
      decodeDone(await this.#ask(mixer, { op: 'slips', period, ...part }))
  }

  /** All items, when they have the signature of the mixer. Throws BUSY before the mixer has mixed them. */
  async takeMixed({ mixer }: SpreadRule, period: number): Promise<Mixed> {
    const take = async (part: number) => decodeMixedReply(await this.#ask(mixer, { op: 'mixed', period, part }))
    const first = await take(0)
    const contents = [first.content]
    for (let part = 1; part < first.parts; part++) contents.push((await take(part)).content)
    const items = concatBytes(...contents)
    const isOne = equalBytes(batchToDigest(items), first.batch)
    if (!isOne || !isValidMixed(mixer.key, this.#init.federation, period, first))
      byteReader(new Uint8Array(0)).refuse("expected the mixer's signature over its items")
    return { items, signature: first.signature }
  }

  async giveItems({ teller }: SpreadRule, period: number, { items, signature }: Mixed): Promise<void> {
    for (const part of batchToParts(items, SPREAD_ITEM_BYTES))
      decodeDone(await this.#ask(teller, { op: 'items', period, signature, ...part }))
  }

  /** The spread as the teller signed it. Throws BUSY before the teller has counted. */
  async takeCounted({ teller }: SpreadRule, period: number): Promise<Uint8Array> {
    const spread = decodeRosterReply(await this.#ask(teller, { op: 'counted', period }))
    return spread ?? byteReader(new Uint8Array(0)).refuse('expected a spread')
  }

  /** The roster that rules the period may have old addresses. */
  #ask(role: RosterPeer, request: SpreadRequest): Promise<Uint8Array> {
    const { host, peers } = this.#init
    return host.request(peers.withKey(role.key) ?? role, SPREAD_PROTOCOL, encodeSpreadRequest(request))
  }
}
