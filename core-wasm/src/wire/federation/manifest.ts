/**
 * Checks a manifest: its form, the relations between its parts, the size of its rosters, and the openings of its cards.
 * PROTOCOL.md §4.1 to §4.3. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK.
 */

import type * as z from 'zod/mini'
import { MANIFEST_MAX_BYTES, PARTS_MAX, PATH_MAX, SETTLED_MAX_BYTES } from '../constants.ts'
import { bytesToHex, hexToBytes } from '../encoding/bytes.ts'
import { isLoopback } from '../encoding/peer-address.ts'
import { secretToSigner } from '../encoding/signature.ts'
import { parseStrictJson } from '../encoding/strict-json.ts'
import { FederationError } from '../errors.ts'
import { spreadToProblem } from '../spread-rules.ts'
import { DEMO_PHRASE, demoSecret } from './demo-keys.ts'
import { type FrozenManifest, frozenSchema, type Manifest, manifestSchema, type Parameters } from './manifest-form.ts'
import { nonceToCommitment } from './ranks.ts'
import { frozenToRoster, isSharable } from './roster-rules.ts'
import { settledBytes } from './roster-size.ts'

/** Parses and checks the text of a complete federation.json. Throws MANIFEST_INVALID, ADDRESS_NOT_LOOPBACK. */
export function parseManifest(text: string): Manifest {
  return assertManifest(parseJson(text))
}

/** Checks a value that is parsed already. Throws as `parseManifest`. */
export function assertManifest(value: unknown): Manifest {
  if (frozenSchema.safeParse(value).success)
    refuse('openings', 'its members have not opened their nonces yet: ask the founder for the complete federation.json')
  const manifest = assertForm(manifestSchema, value)
  assertFounding(manifest)
  assertOpenings(manifest)
  return manifest
}

/** Parses and checks a federation.json whose openings may still be missing. Throws as `parseManifest`. */
export function parseFrozenManifest(text: string): FrozenManifest {
  const value = parseJson(text)
  const isComplete = typeof value === 'object' && value !== null && 'openings' in value
  if (isComplete) delete value.openings
  return assertFrozenManifest(value)
}

/** Checks a value that is parsed already and has no openings. Throws as `parseManifest`. */
export function assertFrozenManifest(value: unknown): FrozenManifest {
  const manifest = assertForm(frozenSchema, value)
  assertFounding(manifest)
  return manifest
}

/**
 * The complete manifest with the nonces of `members` in order, then that of `central`; 32 bytes each.
 * Throws MANIFEST_INVALID when a nonce does not open the commitment of its card.
 */
export function completeManifest(frozen: FrozenManifest, nonces: readonly Uint8Array[]): Manifest {
  return assertManifest({ ...frozen, openings: nonces.map(bytesToHex) })
}

function parseJson(text: string): unknown {
  if (text.length > MANIFEST_MAX_BYTES)
    refuse('', `expected at most ${MANIFEST_MAX_BYTES} characters, got ${text.length}`)
  try {
    return parseStrictJson(text)
  } catch (cause) {
    const reason = cause instanceof SyntaxError && /twice/.test(cause.message) ? cause.message : 'expected JSON'
    refuse('', reason, cause)
  }
}

function assertForm<T extends z.ZodMiniType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]!
  const keys = issue.code === 'unrecognized_keys' ? issue.keys : []
  const reason = keys.length > 0 ? 'unknown key' : issue.message || 'unexpected value'
  return refuse([...issue.path, ...keys.slice(0, 1)].join('.'), reason)
}

/** These checks come before the nonces are opened. */
function assertFounding(manifest: FrozenManifest): void {
  assertRelations(manifest)
  assertRosterFits(manifest)
  assertDemoIsLocal(manifest)
}

/** Otherwise somebody could replace a nonce after seeing the others, and so choose the ranks. */
function assertOpenings({ members, central, openings }: Manifest): void {
  const cards = [...members, central]
  if (openings.length !== cards.length) refuse('openings', `expected ${cards.length} nonces, got ${openings.length}`)
  for (const [i, { operator, commitment }] of cards.entries()) {
    if (bytesToHex(nonceToCommitment(hexToBytes(openings[i]!))) !== commitment)
      refuse(`openings.${i}`, `expected the nonce of the card of ${operator}, got another: ask for the opening again`)
  }
}

function assertRelations(manifest: FrozenManifest): void {
  const { operators, members, central, parameters } = manifest
  unique(
    'operators',
    operators.map((o) => o.name),
  )
  unique(
    'operators',
    operators.map((o) => o.key),
  )
  unique(
    'members',
    [central, ...members].map((m) => m.peerId),
  )
  // A copied commitment would open with the nonce of another card.
  unique(
    'members',
    [central, ...members].map((m) => m.commitment),
  )
  const known = new Set(operators.map((o) => o.name))
  for (const [i, member] of [central, ...members].entries()) {
    const path = i === 0 ? 'central.operator' : `members.${i - 1}.operator`
    if (!known.has(member.operator)) refuse(path, `expected the name of an operator, got ${member.operator}`)
    if (i > 0 && member.operator === central.operator)
      refuse(
        path,
        `the operator of the central peer holds no shard: give the node another operator than ${member.operator}`,
      )
  }
  const holders = new Set(members.map((m) => m.operator)).size
  if (holders < parameters.replicas) {
    refuse(
      'parameters.replicas',
      `members of ${holders} operators cannot make ${parameters.replicas} replicas: add operators or lower the replicas`,
    )
  }
  assertSalting(parameters)
  if (parameters.periodEpochs + parameters.reserveEpochs > 2 ** PATH_MAX) {
    refuse(
      'parameters.reserveEpochs',
      `expected at most ${2 ** PATH_MAX} lines in a sheet: lower periodEpochs or reserveEpochs`,
    )
  }
  assertAscending('syncRequestBytes', parameters.syncRequestBytes)
  assertAscending('evaluations', parameters.evaluations)
  const problem = parameters.spread && spreadToProblem(parameters.spread)
  if (problem !== undefined) refuse('parameters.spread', problem)
}

function assertSalting({ salting, quota, replicas, threshold, tokens }: Parameters): void {
  if (salting === 'plain' && tokens !== undefined)
    refuse('parameters.tokens', 'tokens open a quota of evaluations: choose the salting threshold, or leave them out')
  if (salting === 'plain' && threshold !== 1)
    refuse('parameters.threshold', `expected 1 under plain salting, got ${threshold}: choose the salting threshold`)
  if (salting === 'threshold' && quota === 'strict')
    refuse('parameters.quota', 'the strict quota counts salts of plain salting: choose rolling')
  if (salting === 'threshold' && !isSharable(replicas, threshold)) {
    const reason = `expected at most a majority of ${replicas} replicas and ${PARTS_MAX} parts, got threshold ${threshold}`
    refuse('parameters.threshold', reason)
  }
}

function assertAscending(name: 'syncRequestBytes' | 'evaluations', sizes: readonly number[]): void {
  if (sizes.some((size, i) => i > 0 && size <= sizes[i - 1]!)) refuse(`parameters.${name}`, 'expected ascending sizes')
}

/** Every peer keeps whole rosters, and each roster must fit a frame together with its certificate. */
function assertRosterFits(manifest: FrozenManifest): void {
  const bytes = settledBytes(frozenToRoster(manifest, []))
  if (bytes <= SETTLED_MAX_BYTES) return
  const { operators, members, parameters } = manifest
  const made = `${parameters.shards} shards of ${parameters.replicas} replicas, ${members.length} members of ${operators.length} operators`
  const advice = 'choose fewer shards or replicas, or found with fewer members'
  refuse('parameters.shards', `${made} make a roster of ${bytes} bytes where ${SETTLED_MAX_BYTES} fit; ${advice}`)
}

/** Published keys off the loopback would let anybody vote, so they are refused even if the file does not say `demo`. */
function assertDemoIsLocal({ demo, operators, members, central }: FrozenManifest): void {
  const stranger = [central, ...members].flatMap(({ addresses }) => addresses).find((item) => !isLoopback(item))
  if (stranger === undefined) return
  const isPublished = ({ name, key }: Manifest['operators'][number]) =>
    bytesToHex(secretToSigner(demoSecret(DEMO_PHRASE, `operator/${name}`)).key) === key
  if (demo === undefined && !operators.some(isPublished)) return
  throw new FederationError(
    'ADDRESS_NOT_LOOPBACK',
    `demo keys are public and serve only on this machine, not on ${stranger}; found a federation of your own`,
    { address: stranger },
  )
}

function unique(path: string, values: string[]): void {
  if (new Set(values).size !== values.length)
    refuse(path, 'expected distinct names, keys, peer ids and commitments, got one twice')
}

function refuse(path: string, reason: string, cause?: unknown): never {
  const where = path === '' ? 'federation.json' : `federation.json: ${path}`
  throw new FederationError('MANIFEST_INVALID', `${where}: ${reason}`, { path, reason }, { cause })
}
