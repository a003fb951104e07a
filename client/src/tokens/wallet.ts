/**
 * The tokens of a device, and the members that it asks most often. PROTOCOL.md §5.12. A sync opens the wallet, takes tokens from
 * it and stores it at the end. A wallet tells less about places than the diary. Throws STORAGE_CORRUPT.
 */
import type { TokenKind } from '@geotrace/core-wasm/tokens'
import { bytesToHex, DAY_MS, hexToBytes } from '@geotrace/core-wasm/wire'
import { decodeRecord, encodeRecord } from '../storage/key-layout.ts'
import { put, type Storage, type StorageOperation } from '../storage/storage.ts'
import { TOKEN_KEYS } from '../storage/token-keys.ts'

/** Members whose requests are counted. A device asks some five members for each shard that it uses. */
const ASKED_MAX = 32
/** Above it all counts are halved, so that old habits fade. */
const COUNT_MAX = 200

/** A request for tokens under way. Equal seeds give equal messages, so a lost answer is asked for again. */
export interface PendingTokens {
  readonly kind: TokenKind
  /** Hex. */
  readonly seed: string
  /** The UTC day on which the issuer was asked, and the day of the tokens. */
  readonly asked: number
  readonly day: number
  /** The issuer's key of this kind: its modulus in hex. */
  readonly key: string
  /** Keys (hex) of the members, a token for each. */
  readonly nodes: readonly string[]
  /** Tokens that came already. */
  readonly done: number
}
interface WalletRecord {
  /** UTC day of the last whole issuance. */
  issued?: number
  /** Unix ms from which the next tokens are fetched, a random time. */
  fetchAt: number
  /** How often a member was asked and not away, by its key in hex. */
  asked: Record<string, number>
  tokens: { kind: TokenKind; day: number; node: string; token: string }[]
  pending?: PendingTokens | undefined
}

export class Wallet {
  readonly #record: WalletRecord
  #isChanged = false

  private constructor(record: WalletRecord) {
    this.#record = record
  }

  static async open(storage: Storage): Promise<Wallet> {
    const bytes = await storage.get(TOKEN_KEYS.wallet)
    const none = { fetchAt: 0, asked: {}, tokens: [] }
    return new Wallet(bytes === undefined ? none : decodeRecord<WalletRecord>(TOKEN_KEYS.wallet, bytes))
  }

  get issued(): number | undefined {
    return this.#record.issued
  }

  get fetchAt(): number {
    return this.#record.fetchAt
  }

  get pending(): PendingTokens | undefined {
    return this.#record.pending
  }

  set pending(pending: PendingTokens | undefined) {
    this.#record.pending = pending
    this.#isChanged = true
  }

  /** The token of evaluations for a member at this time; undefined when there is none. */
  of(node: Uint8Array, nowMs: number): Uint8Array | undefined {
    const found = this.#find(bytesToHex(node), toUtcDay(nowMs))
    return found && hexToBytes(found.token)
  }

  /** The tokens of relays at this time, by the key of the member in hex. */
  relays(nowMs: number): Map<string, Uint8Array> {
    const today = this.#record.tokens.filter(({ kind, day }) => kind === 'relay' && day === toUtcDay(nowMs))
    return new Map(today.map(({ node, token }) => [node, hexToBytes(token)]))
  }

  /** Tokens of evaluations for a UTC day. */
  count(day: number): number {
    return this.#record.tokens.filter((item) => item.kind === 'evaluation' && item.day === day).length
  }

  /** Forgets a token that its member refused. */
  drop(node: Uint8Array, nowMs: number): void {
    const found = this.#find(bytesToHex(node), toUtcDay(nowMs))
    this.#record.tokens = this.#record.tokens.filter((item) => item !== found)
    this.#isChanged = true
  }

  /** Counts a request to a member. */
  note(node: Uint8Array): void {
    const { asked } = this.#record
    const key = bytesToHex(node)
    const count = (asked[key] ?? 0) + 1
    const all = Object.entries({ ...asked, [key]: count }).sort(([, a], [, b]) => b - a)
    const kept = all.slice(0, ASKED_MAX).map(([name, n]) => [name, count > COUNT_MAX ? Math.ceil(n / 2) : n] as const)
    this.#record.asked = Object.fromEntries(kept)
    this.#isChanged = true
  }

  /** The members that were asked most often, at most `max`. */
  favourites(max: number): string[] {
    const all = Object.entries(this.#record.asked).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    return all.slice(0, max).map(([key]) => key)
  }

  add(kind: TokenKind, day: number, node: string, token: Uint8Array): void {
    this.#record.tokens.push({ kind, day, node, token: bytesToHex(token) })
    this.#isChanged = true
  }

  /** Nothing more is fetched before this time. */
  close(issued: number, fetchAt: number): void {
    this.pending = undefined
    this.#record.issued = issued
    this.#record.fetchAt = fetchAt
  }

  /** The change to store; without the tokens of days that are over. */
  changes(nowMs: number): StorageOperation[] {
    if (!this.#isChanged) return []
    this.#isChanged = false
    this.#record.tokens = this.#record.tokens.filter(({ day }) => day >= toUtcDay(nowMs))
    return [put(TOKEN_KEYS.wallet, encodeRecord(this.#record))]
  }

  #find(node: string, day: number): WalletRecord['tokens'][number] | undefined {
    return this.#record.tokens.find((item) => item.kind === 'evaluation' && item.node === node && item.day === day)
  }
}

/** The UTC day of a time. */
export function toUtcDay(nowMs: number): number {
  return Math.floor(nowMs / DAY_MS)
}
