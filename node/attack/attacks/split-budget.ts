/**
 * A13: one device spreads its budget over all sets of t replicas, and over two halves of a federation that a partition cut.
 * Each node counts for itself, so the device gets more distinct cells than one budget has.
 */
import { type Block, blockToState, compareBlocks, epochToBlocks } from '@geotrace/core-wasm/wire'
import { type Attack, atMost, exactly, type Figure } from '../lab/attack.ts'
import { evaluateUntilSpent, setsOf } from '../lab/evaluations.ts'
import { openIntruder, replicasOf } from '../lab/intruder.ts'
import type { Lab } from '../lab/lab.ts'
import { worldToCells } from '../lab/map.ts'

const [ONE_SET, ALL_SETS, TWO_HALVES] = [30, 31, 32] as const

export const splitBudget: Attack = {
  name: 'A13',
  title: 'One budget spread over all sets of replicas, and over a partition',
  attacker: 'one device at one address that asks every replica of the shard',
  meaning: 'How many times the distinct cells of one budget the device gets.',
  limit:
    'The factor is R / t, because nodes do not tell each other who asked. Until the central peer has pinned an epoch, a node keeps one budget for each roster that may still be pinned, usually two. At the border of two rosters the factor doubles.',
  isQuick: false,
  run: (lab) => (lab.setting.parameters.salting === 'plain' ? spreadSalts(lab) : spreadEvaluations(lab)),
}

/** Replicas give the same salts, so a second replica gives nothing new. */
async function spreadSalts(lab: Lab): Promise<Figure> {
  const { epoch, clock } = lab
  const blocks: Block[] = [...epochToBlocks(epoch), ...epochToBlocks(epoch + 1)]
    .filter(({ size, n }) => blockToState(size, n, clock.now()) === 'open')
    .sort(compareBlocks)
  const intruder = await openIntruder(lab, ALL_SETS)
  const salts = new Set<string>()
  let first = 0
  for (const replica of replicasOf(lab)) {
    for (const salt of (await intruder.salts(replica, blocks)) ?? []) salts.add(Buffer.from(salt).toString('hex'))
    if (first === 0) first = salts.size
  }
  await intruder.close()
  const value = salts.size / first
  return { value, unit: '× one budget', gate: exactly(value, 1, '×'), more: { 'salts of one budget': first } }
}

async function spreadEvaluations(lab: Lab): Promise<Figure> {
  const { core, world, epoch, certified } = lab
  const { replicas, threshold } = certified.roster
  const cells = [...worldToCells(core, world)[0]]
  const take = async (sets: number[][], address: number) =>
    (await evaluateUntilSpent(lab, { cells, epoch, sets, address })).keys.size
  const all = setsOf(replicas, threshold)
  const one = await take(all.slice(0, 1), ONE_SET)
  const most = await take(all, ALL_SETS)
  const halves = await take([all[0]!, all.at(-1)!], TWO_HALVES)
  const value = most / one
  const more = { 'cells of one budget': one, 'cells of all sets': most, 'cells of two halves': halves }
  return { value, unit: '× one budget', gate: atMost(value, replicas / threshold, '×'), more }
}
