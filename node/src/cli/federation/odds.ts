/**
 * `geotrace federation odds`: the chances that colluding operators hold a chosen shard. PRIVACY.md "Who holds a shard" has
 * what it prints. Throws COMMAND_INVALID.
 */
import { OPERATORS_MAX, REPLICAS_MAX } from '@geotrace/core-wasm/wire'
import type { Command } from 'commander'
import {
  admissionChance,
  admissionDraws,
  bestOf,
  captureChance,
  foundingChance,
  type Shape,
} from '../../membership/rank-odds.ts'
import { invalidCommand } from '../terminal/invalid-command.ts'
import { examples, wholeNumber } from '../terminal/options.ts'
import type { Output } from '../terminal/output.ts'

/** Small, middle and large federations: R = 3 under `plain`, where one replica knows the seed, and 3 of 5. */
const SHAPES: readonly Shape[] = [
  [6, 3, 1, 1],
  [30, 3, 1, 1],
  [30, 5, 3, 3],
  [30, 5, 3, 5],
  [100, 5, 3, 5],
  [100, 5, 3, 10],
].map(([operators, replicas, threshold, colluding]) => ({
  operators: operators!,
  replicas: replicas!,
  threshold: threshold!,
  colluding: colluding!,
}))
/** Nonces among which the founder of an earlier version could choose, within a second. */
const GROUND = 10_000
const HEAD = [
  'operators',
  'R',
  't',
  'collude',
  'founding, one draw',
  'founding, stopped and repeated',
  'founder chose of 10,000 (before)',
  'new operator, one draw',
  'new operator, nonces withheld',
]

export function oddsCommand(command: Command, out: Output): void {
  command
    .description('print the chances that operators who collude hold a chosen shard')
    .option('--operators <n>', 'operators with salt nodes', wholeNumber(1, OPERATORS_MAX))
    .option('--replicas <n>', 'replicas of a shard (R)', wholeNumber(1, REPLICAS_MAX), 3)
    .option('--threshold <n>', 'replicas that must collude (t)', wholeNumber(1, REPLICAS_MAX), 1)
    .option('--colluding <n>', 'operators that collude', wholeNumber(1, OPERATORS_MAX), 1)
    .action((options: Omit<Shape, 'operators'> & { operators?: number }) => odds(options, out))
  examples(command, 'geotrace federation odds', 'geotrace federation odds --operators 40 --replicas 5 --threshold 3')
}

function odds({ operators, ...options }: Omit<Shape, 'operators'> & { operators?: number }, out: Output): void {
  const shapes = operators === undefined ? SHAPES : [{ ...options, operators }]
  for (const { operators: all, replicas, threshold, colluding } of shapes) {
    if (replicas > all || threshold > replicas || colluding > all)
      invalidCommand(
        `expected t ≤ R ≤ operators and no more colluders than operators, got t ${threshold}, R ${replicas}, ${all} operators, ${colluding} colluders`,
        'give other numbers',
      )
  }
  out.json(shapes.map((shape) => ({ ...shape, ...chancesOf(shape) })))
  for (const line of oddsTable(shapes)) out.line(line)
}

function chancesOf(shape: Shape) {
  return {
    captured: captureChance(shape),
    foundedAgain: foundingChance(shape),
    groundBefore: bestOf(captureChance(shape), GROUND),
    admitted: admissionChance(shape, 1),
    withheld: admissionChance(shape, admissionDraws(shape)),
  }
}

/** A Markdown table. */
function oddsTable(shapes: readonly Shape[]): string[] {
  const row = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`
  const lines = shapes.map((shape) => {
    const { captured, foundedAgain, groundBefore, admitted, withheld } = chancesOf(shape)
    return [
      ...[shape.operators, shape.replicas, shape.threshold, shape.colluding],
      ...[captured, foundedAgain, groundBefore, admitted, withheld].map(toPercent),
    ]
  })
  return [row(HEAD), row(HEAD.map(() => '--:')), ...lines.map(row)]
}

/** Two significant digits. */
function toPercent(chance: number): string {
  if (chance > 0.999) return '> 99.9 %'
  const percent = chance * 100
  if (percent >= 99) return `${percent.toFixed(1)} %`
  return `${percent >= 10 ? percent.toFixed(0) : percent.toPrecision(2)} %`
}
