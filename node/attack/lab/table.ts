/** The figures as a table for a terminal. */
import type { Attack } from './attack.ts'
import type { Result } from './run.ts'
import { SETTINGS } from './settings.ts'

export function resultsToText(attacks: readonly Attack[], results: readonly Result[]): string {
  const worlds = [...new Set(results.map(({ world }) => world))]
  return attacks
    .flatMap((attack) => {
      const own = results.filter((result) => result.attack === attack.name)
      const head = [`${attack.name}  ${attack.title}`, `  attacker: ${attack.attacker}`, `  number: ${attack.meaning}`]
      const rows = worlds.flatMap((world) =>
        SETTINGS.flatMap(({ name }) => own.filter((result) => result.world === world && result.setting === name)),
      )
      return [...head, ...rows.map(resultToLine), `  limit: ${attack.limit}`, '']
    })
    .join('\n')
}

/** The same figures as a table in Markdown, for PRIVACY.md. */
export function resultsToMarkdown(
  attacks: readonly Pick<Attack, 'name' | 'title'>[],
  results: readonly Result[],
): string {
  const names = SETTINGS.map(({ name }) => name)
  const cell = (attack: string, setting: string): string => {
    const outcome = results.find((result) => result.attack === attack && result.setting === setting)?.outcome
    if (outcome === undefined || 'notRun' in outcome) return 'not run'
    return `${rounded(outcome.value)} ${outcome.unit}`
  }
  const rows = attacks.map(
    ({ name, title }) => `| ${name} | ${title} | ${names.map((n) => cell(name, n)).join(' | ')} |`,
  )
  return [`| | attack | ${names.join(' | ')} |`, '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}

/** Whether every gate holds. An attack that did not run has none. */
export function allHold(results: readonly Result[]): boolean {
  return results.every(({ outcome }) => 'notRun' in outcome || outcome.gate?.holds !== false)
}

export function rounded(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en')
  return Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(3)))
}

function resultToLine({ world, setting, outcome }: Result): string {
  const head = `    ${world.padEnd(8)}${setting.padEnd(8)}`
  if ('notRun' in outcome) return `${head}NOT RUN: ${outcome.notRun}`
  const { value, unit, gate, more = {} } = outcome
  const bound = gate === undefined ? '' : `  [${gate.holds ? 'holds' : 'BROKEN'}: ${gate.rule}]`
  const rest = Object.entries(more).map(([name, number]) => `${name} ${rounded(number)}`)
  return `${head}${rounded(value)} ${unit}${bound}${rest.length > 0 ? `\n${' '.repeat(20)}${rest.join('; ')}` : ''}`
}
