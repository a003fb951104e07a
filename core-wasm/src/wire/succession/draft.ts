/**
 * A draft: the lists of the next roster while changes join, remove and rename their items. PROTOCOL.md §4.8, §4.9.
 * `makeChange` checks what a change needs of the lists; succession.ts checks its signatures. Throws ROSTER_INVALID.
 */
import { MEMBERS_MAX, MEMBERS_PER_OPERATOR_MAX, OPERATORS_MAX } from '../constants.ts'
import { equalBytes } from '../encoding/bytes.ts'
import { invalid } from '../federation/invalid-roster.ts'
import type { Roster, RosterCentral, RosterOperator, RosterPeer } from '../federation/roster.ts'
import { isGone, isSharable } from '../federation/roster-rules.ts'
import { type SpreadParameters, spreadToProblem } from '../spread-rules.ts'
import type { Change } from './changes.ts'

/** The choice of a proposer. Everything else of a roster follows from the roster before. */
export interface Succession {
  firstEpoch: number
  /** Encoded, ascending by bytes. */
  changes: readonly Uint8Array[]
  commitments: readonly Roster['commitments'][number][]
  reveals: readonly Roster['reveals'][number][]
  sheets: readonly Uint8Array[]
}

/** In a draft, a peer refers to its operator by object, because indices shift while operators come and go. */
type Drafted<T extends RosterPeer> = Omit<T, 'operator'> & { operator: RosterOperator }
type DraftedPeer = Drafted<RosterPeer>
export interface Draft {
  operators: RosterOperator[]
  members: DraftedPeer[]
  newcomers: DraftedPeer[]
  admitted: DraftedPeer[]
  central: Drafted<RosterCentral>
  gone: Uint8Array[]
  core: Roster['core']
  apps: Roster['apps']
  spread: SpreadParameters | undefined
  release: Roster['release']
  tokens: Roster['tokens']
  plan: Roster['plan']
  evaluationsPerShardEpoch: number
  amended: number
}

/** The members of the roster that follows. */
export function nextMembers(previous: Roster): RosterPeer[] {
  return [...previous.members, ...previous.newcomers].filter(({ key }) => !isGone(previous, key))
}

export function openDraft(roster: Roster): Draft {
  const operators = roster.operators.map((operator) => ({ ...operator }))
  const draft = <T extends RosterPeer>(peer: T): Drafted<T> => ({ ...peer, operator: operators[peer.operator]! })
  const stays = ({ key }: RosterPeer): boolean => !isGone(roster, key)
  return {
    operators,
    members: nextMembers(roster).map((peer) => draft(peer)),
    newcomers: [],
    admitted: roster.admitted.filter(stays).map((peer) => draft(peer)),
    central: draft(roster.central),
    gone: [...roster.gone],
    core: roster.core,
    apps: roster.apps,
    spread: roster.spread,
    release: roster.release,
    tokens: roster.tokens,
    plan: roster.plan,
    evaluationsPerShardEpoch: roster.evaluationsPerShardEpoch,
    amended: roster.amended,
  }
}

export function makeChange(draft: Draft, change: Change): void {
  switch (change.kind) {
    case 'join':
      join(draft, change)
      break
    case 'leave':
    case 'expel':
    case 'lied':
      remove(draft, change.key)
      break
    case 'move':
      move(draft, change)
      break
    case 'rotate':
      rotate(draft, change)
      break
    case 'amend':
      amend(draft, change)
      break
    case 'seal':
      reseal(draft, change)
  }
}

function join(draft: Draft, { operator: name, operatorKey, key, addresses }: Change & { kind: 'join' }): void {
  if (isTaken(draft, key) || equalBytes(key, operatorKey)) invalid('a join under a key in use: make a new key')
  let operator = draft.operators.find((item) => equalBytes(item.key, operatorKey))
  if (operator === undefined) {
    if (draft.operators.some((item) => item.name === name) || isTaken(draft, operatorKey))
      invalid(`the operator name ${name} or its key is a name in use: choose another`)
    operator = { name, key: operatorKey, rank: null }
    draft.operators.push(operator)
  }
  if (operator.name !== name) invalid(`expected the operator name ${operator.name}, got another name, ${name}`)
  // The operator can still be listed, because its nodes hold shards to the end of this roster.
  if (isGone(draft, operatorKey)) invalid(`the operator ${name} is gone and cannot join`)
  if (operator === draft.central.operator) invalid('the operator of the central peer holds no shard')
  const nodes = [...draft.members, ...draft.newcomers, ...draft.admitted]
  if (nodes.filter((peer) => peer.operator === operator).length >= MEMBERS_PER_OPERATOR_MAX)
    invalid(`too many nodes: an operator has at most ${MEMBERS_PER_OPERATOR_MAX}`)
  if (nodes.length >= MEMBERS_MAX || draft.operators.length > OPERATORS_MAX)
    invalid(`the federation is full: at most ${MEMBERS_MAX} nodes and ${OPERATORS_MAX} operators`)
  // The rank belongs to the operator, so further nodes draw nothing and need not wait.
  const list = operator.rank === null ? draft.admitted : draft.newcomers
  list.push({ key, operator, addresses, moved: 0 })
}

/** Removes a node, or an operator with all its nodes. They hold the shards of this roster, but not of the next one. */
function remove(draft: Draft, key: Uint8Array): void {
  const operator = draft.operators.find((item) => equalBytes(item.key, key))
  const nodes = [...draft.members, ...draft.newcomers, ...draft.admitted]
  const leaving = nodes.filter((peer) => peer.operator === operator || equalBytes(peer.key, key))
  if (operator === undefined && leaving.length === 0)
    invalid('expected the key of a node or operator that can leave, got a stranger')
  if (operator === draft.central.operator) invalid('the operator of the central peer stays and cannot leave')
  const keys = [...(operator === undefined ? [] : [key]), ...leaving.map((peer) => peer.key)]
  const isNew = (item: Uint8Array): boolean => !isGone(draft, item)
  if (!isNew(key)) invalid('the node or operator is gone already')
  draft.gone.push(...keys.filter(isNew))
  const stays = (peer: DraftedPeer): boolean => !leaving.includes(peer)
  draft.newcomers = draft.newcomers.filter(stays)
  draft.admitted = draft.admitted.filter(stays)
}

function move(draft: Draft, { key, addresses, at }: Change & { kind: 'move' }): void {
  const peer = findPeer(draft, key) ?? invalid('expected the key of a node that can move, got a stranger')
  // Otherwise a peer that kept an earlier move could restore the old addresses.
  if (at <= peer.moved) invalid(`a later move of ${peer.moved} overtook this one: sign a new move`)
  peer.addresses = addresses
  peer.moved = at
}

function amend(draft: Draft, change: Change & { kind: 'amend' }): void {
  const { core, shards, replicas, evaluations, apps, spread, release, tokens, at } = change
  if (at <= draft.amended) invalid(`a later amendment of ${draft.amended} overtook this one: sign a new one`)
  draft.core = core ?? draft.core
  draft.apps = apps ?? draft.apps
  const problem = spread ? spreadToProblem(spread) : undefined
  if (problem !== undefined) invalid(`the spread: ${problem}`)
  if (spread !== undefined) draft.spread = spread ?? undefined
  if (release !== undefined) draft.release = release ?? undefined
  if (tokens !== undefined) draft.tokens = tokens ?? undefined
  draft.plan = { shards: shards ?? draft.plan.shards, replicas: replicas ?? draft.plan.replicas }
  draft.evaluationsPerShardEpoch = evaluations ?? draft.evaluationsPerShardEpoch
  draft.amended = at
}

function reseal({ central }: Draft, { seal, at }: Change & { kind: 'seal' }): void {
  // Otherwise somebody could bring back a key whose secret was stolen.
  if (at <= central.sealed) invalid(`a later seal key of ${central.sealed} overtook this one: sign a new one`)
  central.seal = seal
  central.sealed = at
}

function rotate(draft: Draft, { from, to }: Change & { kind: 'rotate' }): void {
  const operator =
    draft.operators.find(({ key }) => equalBytes(key, from)) ??
    invalid('expected the key of an operator to rotate: no operator has this key')
  if (isTaken(draft, to)) invalid('a rotation to a key in use: make a new key')
  // Otherwise a new key could undo an expulsion.
  if (isGone(draft, from)) invalid(`the operator ${operator.name} is gone and cannot rotate its key`)
  operator.key = to
  draft.gone.push(from)
}

export function findPeer({ members, newcomers, admitted, central }: Draft, key: Uint8Array): DraftedPeer | undefined {
  return [...members, ...newcomers, ...admitted, central].find((peer) => equalBytes(peer.key, key))
}

function isTaken(draft: Draft, key: Uint8Array): boolean {
  return (
    findPeer(draft, key) !== undefined ||
    draft.operators.some((operator) => equalBytes(operator.key, key)) ||
    isGone(draft, key)
  )
}

/** The fields of the next roster that no draft holds. */
interface Rest extends Succession {
  hash: Uint8Array
}

/** The roster with the lists of the draft. Throws ROSTER_INVALID when too few operators would be left. */
export function closeDraft(
  draft: Draft,
  previous: Roster,
  { hash, firstEpoch, changes, commitments, reveals, sheets }: Rest,
): Roster {
  const { members, newcomers, admitted, central, gone, plan, amended, core, apps, evaluationsPerShardEpoch } = draft
  // A departed operator stays listed until its last node has left, because every member has an operator.
  const isNeeded = (operator: RosterOperator): boolean =>
    !isGone(draft, operator.key) || [...members, central].some((peer) => peer.operator === operator)
  const operators = draft.operators.filter(isNeeded)
  const close = <T extends RosterPeer>(peer: Drafted<T>) => ({ ...peer, operator: operators.indexOf(peer.operator) })
  const coming = [...members, ...newcomers].filter(({ key }) => !isGone(draft, key))
  if (new Set(coming.map(({ operator }) => operator)).size < plan.replicas) {
    invalid(`members of fewer than ${plan.replicas} operators would be left: lower the replicas first`)
  }
  if (previous.salting === 'threshold' && !isSharable(plan.replicas, previous.threshold)) {
    invalid(
      `${plan.replicas} replicas cannot share a shard with threshold ${previous.threshold}: choose other replicas`,
    )
  }
  const { spread: _spread, release: _release, tokens: _tokens, ...rest } = previous
  return {
    ...rest,
    height: previous.height + 1,
    previous: hash,
    firstEpoch,
    shards: previous.plan.shards,
    replicas: previous.plan.replicas,
    operators,
    members: members.map((peer) => close(peer)),
    central: close(central),
    sheets: [...sheets],
    core,
    apps,
    ...(draft.spread && { spread: draft.spread }),
    ...(draft.release && { release: draft.release }),
    ...(draft.tokens && { tokens: draft.tokens }),
    plan,
    evaluationsPerShardEpoch,
    amended,
    newcomers: newcomers.map((peer) => close(peer)),
    admitted: admitted.map((peer) => close(peer)),
    gone,
    changes: [...changes],
    commitments: [...commitments],
    reveals: [...reveals],
  }
}
