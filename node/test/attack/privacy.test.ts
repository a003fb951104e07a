/** PRIVACY.md against the figures that `npm run attack` recorded, and against the tree. */
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ATTACKS } from '../../attack/attacks/index.ts'
import type { Result } from '../../attack/lab/run.ts'
import { allHold, resultsToMarkdown, rounded } from '../../attack/lab/table.ts'

interface Recorded {
  machine: string
  node: string
  people: number
  attacks: { name: string; title: string; limit: string }[]
  results: Result[]
}

const root = resolve(import.meta.dirname, '../../..')
const page = readFileSync(resolve(root, 'PRIVACY.md'), 'utf8')
const recorded = JSON.parse(readFileSync(resolve(root, 'node/attack/figures.json'), 'utf8')) as Recorded

describe('the figures of PRIVACY.md', () => {
  it('the page has exactly the table of the recorded run', () => {
    expect(page).toContain(resultsToMarkdown(recorded.attacks, recorded.results))
  })

  it('every figure in a sentence is that of the recorded run', () => {
    const cited = [...page.matchAll(/\b(A\d+), (plain|t = 1|3 of 5): ([\d.,]*\d)/g)]
    expect(cited.length).toBeGreaterThan(20)
    const wrong = cited.filter(([, attack, setting, figure]) => {
      const result = recorded.results.find((item) => item.attack === attack && item.setting === setting)
      return result === undefined || 'notRun' in result.outcome || rounded(result.outcome.value) !== figure
    })
    expect(wrong.map(([text]) => text)).toEqual([])
  })

  it('the recorded run has every attack of the lab, and no gate was broken in it', () => {
    expect(recorded.attacks.map(({ name }) => name).sort()).toEqual(ATTACKS.map(({ name }) => name).sort())
    expect(allHold(recorded.results)).toBe(true)
  })

  it('the page names the machine, the version of Node and the size of the recorded run', () => {
    expect(page).toContain(`on ${recorded.machine}, Node ${recorded.node}, with ${recorded.people} people`)
  })
})

describe('the answers of PRIVACY.md', () => {
  it('the page answers eight questions, each with a mechanism, a file, a figure and the risk that stays', () => {
    const answers = page.split(/^## (?=\d\. )/m).slice(1)
    expect(answers).toHaveLength(8)
    for (const answer of answers) {
      for (const part of ['**Enforced in**', '**Measured.**', '**What stays.**']) expect(answer).toContain(part)
    }
  })

  it('every file that the page names exists', () => {
    const named = [...page.matchAll(/`((?:core-wasm|node|client)\/[\w./-]+)`/g)].map(([, path]) => path!)
    expect(named.length).toBeGreaterThan(25)
    expect(named.filter((path) => !existsSync(resolve(root, path)))).toEqual([])
  })
})
