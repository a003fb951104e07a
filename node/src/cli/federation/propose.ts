/**
 * `geotrace federation propose expel | rotate | amend`: changes that operators endorse with `vote`. PROTOCOL.md §4.9.
 * Throws COMMAND_INVALID, NODE_NOT_RUNNING, CHANGE_INVALID.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  APPS_MAX,
  bytesToHex,
  type Change,
  hexToBytes,
  isFederationError,
  isOrigin,
  KEY_BYTES,
  peerIdToKey,
  REPLICAS_MAX,
  SHARDS_MAX,
  signChange,
  type TokenParameters,
  tokensSchema,
} from '@geotrace/core-wasm/wire'
import { type Command, InvalidArgumentError } from 'commander'
import { manifestClock } from '../../platform/manifest-clock.ts'
import { nativeSigner } from '../../platform/native-signer.ts'
import { systemRandom } from '../../platform/random.ts'
import { loadIdentity, operatorOf, writeNextOperatorKey } from '../identity/identity.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { defaultDir, examples, readManifest, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'
import { readRelease, releaseToId } from '../verify/release.ts'
import { changeToFile, untilEpoch } from './change-file.ts'
import { handIn, propose } from './join.ts'
import { assertPossible } from './possible.ts'

interface ProposeOptions {
  dir: string
  federation?: string
}
interface AmendOptions extends ProposeOptions {
  core?: [string, string]
  shards?: number
  replicas?: number
  evaluations?: number
  apps?: string[]
  /** A file, or `none`. */
  release?: string
  tokens?: TokenParameters | null
}

export function proposeCommand(command: Command, out: Output): void {
  const add = (name: string): Command =>
    command
      .command(name)
      .option('--dir <dir>', 'directory of your node', defaultDir('salt'))
      .option('--federation <file>', 'manifest of the federation (default: federation.json in the directory)')
  command.description('propose a change to the operators')
  const expel = add('expel')
    .description('propose to remove a node or an operator')
    .argument('<peer id or operator key>', 'as `status` and federation.json show it', peerKey)
    .action((key: Uint8Array, options: ProposeOptions) => print({ kind: 'expel', key }, options, out))
  const amend = add('amend')
    .description('propose other parameters of the federation from the next roster on')
    .option('--core <simd,scalar>', 'SHA-256 of the two builds of the core, in hex', hashPair)
    .option('--shards <n>', 'number of shards (N)', wholeNumber(1, SHARDS_MAX))
    .option('--replicas <n>', 'number of replicas of each shard (R)', wholeNumber(1, REPLICAS_MAX))
    .option(
      '--evaluations <n>',
      'evaluations of one node for each shard and epoch (salting threshold)',
      wholeNumber(1_000, 0xffffffff),
    )
    .option('--apps <origins>', 'origins of all web apps, separated by commas; `none` for no app', originList)
    .option('--tokens <n,key,key>', 'tokens of a device in a day, and the keys of the issuer, or `none`', tokensOrNone)
    .option('--release <file>', 'release.json that you rebuilt, or `none`')
    .action((options: AmendOptions) => print(toAmendment(options), options, out))
  const rotate = add('rotate')
    .description('give your operator a new key, signed by the current one')
    .action((options: ProposeOptions) => rotateKey(options, out))
  examples(expel, 'geotrace federation propose expel 12D3Koo… > expel.json')
  examples(
    amend,
    'geotrace federation propose amend --replicas 5 > amend.json',
    'geotrace federation propose amend --release release.json > amend.json',
  )
  examples(rotate, 'geotrace federation propose rotate')
}

/** A change without its times. */
type Draft = Change extends infer C ? (C extends Change ? Omit<C, 'at' | 'until'> : never) : never

async function print(draft: Draft, { dir, federation }: ProposeOptions, out: Output): Promise<void> {
  const operatorSecret = operatorOf(loadIdentity(dir))
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  const now = manifestClock(manifest).now()
  const dated = draft.kind === 'amend' ? { ...draft, at: now } : draft
  const change = { ...dated, until: untilEpoch(now) } as Change
  const signed = signChange(propose(manifest, change), nativeSigner(operatorSecret))
  await assertPossible(dir, signed)
  const file = changeToFile(signed)
  out.json(file)
  out.line(JSON.stringify(file, null, 2))
  out.note('Save this output as a file, run `geotrace federation vote FILE`, and send the file to the other operators.')
  out.note('Two thirds of the operators plus one must vote for it.')
}

/** Hands in a key rotation. The node votes with the old key until a roster contains the new one. */
async function rotateKey({ dir, federation }: ProposeOptions, out: Output): Promise<void> {
  const operatorSecret = operatorOf(loadIdentity(dir))
  const manifest = readManifest(federation ?? join(dir, 'federation.json'))
  const next = systemRandom(KEY_BYTES)
  const [from, to] = [nativeSigner(operatorSecret), nativeSigner(next)]
  const until = untilEpoch(manifestClock(manifest).now())
  const change = propose(manifest, { kind: 'rotate', until, from: from.key, to: to.key })
  const path = await writeNextOperatorKey(dir, next)
  try {
    await handIn(dir, signChange(signChange(change, from), to))
  } catch (error) {
    // The federation has not seen the new key, unless its answer was lost.
    if (!isFederationError(error, 'PEER_TIMEOUT')) await rm(path)
    throw error
  }
  out.json({ file: path, key: bytesToHex(to.key) })
  out.line(`Wrote the new key ${bytesToHex(to.key).slice(0, 16)}… to ${path}.`)
  out.note(
    'When `geotrace federation log` shows the change in a roster, replace operator.key by this file and restart the node.',
  )
}

function toAmendment({ core, shards, replicas, evaluations, apps, release, tokens }: AmendOptions): Draft {
  if ([core, shards, replicas, evaluations, apps, release, tokens].every((value) => value === undefined)) {
    invalidCommand(
      'expected a parameter to amend',
      'give --core, --shards, --replicas, --evaluations, --apps, --tokens or --release',
    )
  }
  const [simd, scalar] = core ?? []
  return {
    kind: 'amend',
    core: simd === undefined || scalar === undefined ? null : { simd: hexToBytes(simd), scalar: hexToBytes(scalar) },
    shards: shards ?? null,
    replicas: replicas ?? null,
    evaluations: evaluations ?? null,
    apps: apps ?? null,
    ...(tokens !== undefined && { tokens }),
    ...(release !== undefined && {
      release: release === 'none' ? null : hexToBytes(releaseToId(readRelease(release))),
    }),
  }
}

function tokensOrNone(text: string): TokenParameters | null {
  if (text === 'none') return null
  const [, perDay, key, relayKey] = /^(\d{1,2}),([0-9a-f]{512}),([0-9a-f]{512})$/.exec(text) ?? []
  const { success, data } = tokensSchema.safeParse({ perDay: Number(perDay), key, relayKey })
  if (!success)
    throw new InvalidArgumentError(
      'Expected 1 to 16 and both keys that `geotrace central enrolment key` printed, with commas between them.',
    )
  return data
}

function peerKey(text: string): Uint8Array {
  if (/^[0-9a-f]{64}$/.test(text)) return hexToBytes(text)
  try {
    return peerIdToKey(text)
  } catch {
    throw new InvalidArgumentError('Expected a peer id (12D3…) or an operator key of 64 hex digits.')
  }
}

function hashPair(text: string): [string, string] {
  const [simd, scalar, ...more] = text.split(',')
  const isHash = (value: string | undefined): value is string => value !== undefined && /^[0-9a-f]{64}$/.test(value)
  if (!isHash(simd) || !isHash(scalar) || more.length > 0) {
    throw new InvalidArgumentError('Expected two hashes of 64 hex digits, separated by a comma.')
  }
  return [simd, scalar]
}

/** Exported for `found`: both write the same list. */
export function originList(text: string): string[] {
  const origins = [...new Set(text === 'none' ? [] : text.split(','))].sort()
  const wrong = origins.find((origin) => !isOrigin(origin))
  if (wrong !== undefined || origins.length > APPS_MAX) {
    throw new InvalidArgumentError(
      `Expected at most ${APPS_MAX} https origins such as https://app.example.org, got ${wrong ?? origins.length}.`,
    )
  }
  return origins
}
